"""Other interpreters in one process, and builds without the GIL.

_core has state for a process, so it works in the first interpreter that imports it and refuses the
others. _nlsock has no state and works in all. A build without the GIL enables it for both.
"""

import subprocess
import sys
import sysconfig

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="imports _nlsock")

HEAD = """
import sys
try:
    import _interpreters as interpreters  # Python 3.13
except ImportError:
    import _xxsubinterpreters as interpreters

def run(code, isolated):
    '''Execute code in a new interpreter, and return the text of an exception, or None.'''
    code = f'import sys; sys.path[:] = {sys.path!r}\\n{code}'
    if sys.version_info >= (3, 13):
        made = interpreters.create('isolated' if isolated else 'legacy')
        found = interpreters.run_string(made, code)
        text = None if found is None else f'{found.type.__name__}: {found.msg}'
    else:
        made = interpreters.create(isolated=isolated)
        try:
            interpreters.run_string(made, code)
            text = None
        except Exception as error:
            text = str(error)
    interpreters.destroy(made)
    return text
"""
CORE = """
import netlink
from netlink.route.link import Link
assert Link(ifname='x').ifname == 'x'
"""
SOCKET = """
from netlink._nlsock import RawSocket
with RawSocket(2) as sock:
    sock.bind()
    assert sock.port
"""


def script(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "faulthandler", "-c", HEAD + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("first", ["main", "other"])
def test_the_core_works_in_one_interpreter(isolated: bool, first: str) -> None:
    """An isolated interpreter has a GIL of its own in Python 3.12 and later."""
    done = script(f"""
core = {CORE!r}
if {first == "main"}:
    exec(core)
    found = [run(core, {isolated}), run(core, {isolated})]
    exec(core)
else:
    found = [run(core, {isolated}), run(core, {isolated})]
    try:
        exec(core)
    except ImportError as error:
        found.append(f'ImportError: {{error}}')
for text in found:
    assert text is None or 'ImportError' in text and (
        'can only be loaded into one interpreter' in text
        or 'does not support loading in subinterpreters' in text), text
if {first == "main"}:
    assert None not in found
""")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("isolated", [False, True])
def test_the_socket_works_in_all_interpreters(isolated: bool) -> None:
    load = """
import importlib.machinery, importlib.util, sys
path = {path!r}
name = 'netlink._nlsock'
loader = importlib.machinery.ExtensionFileLoader(name, path)
spec = importlib.util.spec_from_loader(name, loader)
module = importlib.util.module_from_spec(spec)
loader.exec_module(module)
with module.RawSocket(2) as sock:
    sock.bind()
    assert sock.port
"""
    done = script(f"""
import threading
import netlink._nlsock
load = {load!r}.format(path=netlink._nlsock.__file__)
for _ in range(3):
    text = run(load, {isolated})
    assert text is None, text
found = []
threads = [threading.Thread(target=lambda: found.append(run(load, {isolated}))) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert found == [None] * 4, found
exec({SOCKET!r})
""")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python always has the GIL"
)
def test_a_build_without_the_gil_enables_it() -> None:
    done = script("import netlink; assert sys._is_gil_enabled()")
    assert done.returncode == 0, done.stderr
