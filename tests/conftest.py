"""Fixtures for all tests, first of all a private network namespace.

A live test must never use the network of the machine. As root, the pytest process itself enters a
namespace for each test, so that debuggers and tracebacks work as usual. An ordinary user needs a
user namespace for this, and a process cannot leave that one. So the session enters it once, at the
first live test, and all later tests run inside it.
"""

import atexit
import ctypes
import fcntl
import gc
import os
import signal
import socket
import struct
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# No test asserts times: a machine may be busy.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

HERE = Path(__file__).parent
LIVE = {
    "kernel", "test_benchmarks.py", "test_cli.py", "test_docs.py", "test_examples.py",
    "test_nlsock.py", "test_readme.py",
}  # fmt: skip
PATIENCE = 20.0  # seconds


class Elsewhere(pytest.Module):
    """A test module, or the folder of live tests, on a system that is not Linux.

    It skips if an import of it needs netlink sockets: names of this package are missing then.
    """

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        if self.path.is_file():
            try:
                return super().collect()
            except self.CollectError as error:
                cause = error.__cause__
                is_ours = isinstance(cause, ImportError) and (cause.name or "").startswith(
                    "netlink"
                )
                if not is_ours:
                    raise
        pytest.skip("only Linux has netlink sockets")


def _package_of(error: ImportError) -> str:
    return (error.name or "").partition(".")[0]


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> Elsewhere | None:
    """Let a module skip where there are no netlink sockets."""
    if sys.platform == "linux":
        return None
    return Elsewhere.from_parent(parent, path=module_path)


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> Elsewhere | None:
    """Let the live tests skip as a whole, before their conftest.py is imported."""
    if sys.platform == "linux" or path != HERE / "kernel":
        return None
    return Elsewhere.from_parent(parent, path=path)


def pytest_configure() -> None:
    """Make the environment plain; let children have Ctrl-C, without which a shell starts what it
    puts in the background."""
    os.environ.pop("NETLINK_TRACE", None)  # which would fill the standard error of every child
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if "detect_leaks=1" in os.environ.get("ASAN_OPTIONS", ""):
        atexit.register(check_leaks)


def check_leaks() -> None:
    """Fail if memory is lost: allocated, and not reachable from anywhere. LeakSanitizer knows.

    The check is made while Python still runs, because at its end Python leaves much behind. No
    frame may be active: their objects are reachable from memory that LeakSanitizer does not see.
    """
    gc.collect()
    if ctypes.CDLL(None).__lsan_do_recoverable_leak_check():  # it prints the places
        sys.stdout.flush()
        os._exit(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the live tests if the kernel would block them for ever."""
    live = [item for item in items if item.path.relative_to(HERE).parts[0] in LIVE]
    if live and sys.platform == "linux" and kernel_is_stuck():
        reason = "the kernel does not answer rtnetlink: a task that died holds its RTNL lock"
        for item in live:
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line for each file with skipped tests: their number and the commonest reason.

    All reasons together would be most of the output, and would hide what failed. `-rs` prints them.
    """
    reasons: dict[str, Counter[str]] = {}
    for report in terminalreporter.stats.get("skipped", ()):
        # An xfail has no location and reason; its own report names it.
        if isinstance(report.longrepr, tuple):
            text = report.longrepr[2].removeprefix("Skipped: ")
            file = report.nodeid.partition("::")[0]
            reasons.setdefault(file, Counter())[" ".join(text.split())] += 1
    if reasons:
        terminalreporter.section("skipped tests and their commonest reasons (-rs prints all)")
    for file, texts in sorted(reasons.items()):
        reason = textwrap.shorten(texts.most_common(1)[0][0], 90, placeholder="...")
        terminalreporter.write_line(f"skipped {texts.total()} in {file}: {reason}")


def kernel_is_stuck() -> bool:
    """Whether the kernel lets a listing of links wait for ever.

    A task that dies inside of rtnetlink, by a bug of the kernel, keeps the RTNL lock. From then on
    whoever needs it waits in a way that no signal ends: so a child asks, and is left behind.
    `.ci/run` asks once for all its runs and says in NETLINK_RTNL what it found.
    """
    if known := os.environ.get("NETLINK_RTNL"):
        return known == "stuck"
    script = "import socket; socket.if_nameindex()"
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", script], os.environ)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.01)
    return True


SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1  # linux/sockios.h, linux/if.h


@pytest.fixture(autouse=True)
def _loops() -> Iterator[None]:
    """Close the event loops of tests.drivers."""
    yield
    drivers = sys.modules.get("tests.drivers")  # few tests need it
    if drivers is not None:
        drivers.close_loops()


@pytest.fixture(scope="session")
def _root(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Make this process root; an ordinary user becomes root of a user namespace."""
    if sys.platform != "linux":
        pytest.skip("only Linux has network namespaces")
    if os.geteuid() == 0:
        return
    from netlink._nlsock import CLONE_NEWNET, CLONE_NEWUSER, unshare

    tmp_path_factory.getbasetemp()  # pytest names it after the user: not after the root to be
    uid, gid = os.geteuid(), os.getegid()
    try:
        unshare(CLONE_NEWUSER | CLONE_NEWNET)
        # user_namespaces(7): setgroups must be given up before an ordinary user may map a group.
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    except OSError as error:
        pytest.skip(f"the kernel refuses a user namespace: {error}")


@pytest.fixture
def netns(_root: None) -> Iterator[None]:
    """A fresh network namespace for this thread and what it starts, with `lo` up; then back."""
    from netlink._nlsock import CLONE_NEWNET, setns, unshare

    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            unshare(CLONE_NEWNET)
        except PermissionError as error:
            pytest.skip(f"the kernel refuses a network namespace: {error}")
        try:
            _raise_loopback()
            yield
        finally:
            setns(home, CLONE_NEWNET)
    finally:
        os.close(home)


def _raise_loopback() -> None:
    """Set IFF_UP by ioctl, netdevice(7), without any code of the library."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        (flags,) = struct.unpack_from("h", request, 16)
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))
