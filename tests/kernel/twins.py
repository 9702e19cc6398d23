"""Twin namespaces: one is changed by our plans, the other by the same words given to iproute2.

A Row holds both, and `play` executes it: it makes two namespaces with the same scene, changes each,
reads both back with `ip -j` and compares. A row must change something, unless it is declared to be
refused; then both sides must refuse it, and nothing may have changed.
"""

import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from netlink import Connection, KernelError, Plan
from netlink.route import FAMILY
from tests.kernel.scene import LACKS

# Questions to `ip`, by its option for the address family.
QUESTIONS = {
    "": "link show\naddr show\nneigh show nud all\nneigh show proxy\nnexthop show\n",
    "-4": "route show table all\nrule show\n",
    "-6": "route show table all\nrule show\n",
}
# Timers, which differ between two namespaces in the same state.
MOVING = {
    "forward_delay_timer", "gc_timer", "hello_timer", "hold_timer", "message_age_timer",
    "tcn_timer", "topology_change_timer", "unbalanced_time",
}  # fmt: skip
# Seconds that count down. The comparison ignores the time that a row takes.
LIFETIMES = {"expires", "valid_life_time", "preferred_life_time"}
PATIENCE = 2.0  # seconds, for what the kernel does after it has answered


@dataclass(frozen=True)
class Row:
    """One sentence: our plan, the same words for `ip` or `bridge`, and what both start from.

    `given` may be several commands, separated by ";". `errno` is that of a refusal by the kernel, 0
    if there is none; a `wrong` row is refused before anything is sent.
    """

    ours: Plan[Any]
    theirs: str
    given: str = ""
    errno: int = 0
    wrong: bool = False


def same(ours: Plan[Any], theirs: str, given: str = "") -> Row:
    """Return a row whose plan and command have the same effect."""
    return Row(ours, theirs, given)


def refused(ours: Plan[Any], errno: int, theirs: str, given: str = "") -> Row:
    """Return a row that the kernel refuses."""
    return Row(ours, theirs, given, errno=errno)


def wrong(ours: Plan[Any], theirs: str, given: str = "") -> Row:
    """Return a row that both iproute2 and the plan refuse before anything is sent."""
    return Row(ours, theirs, given, wrong=True)


# --- namespaces -----------------------------------------------------------------------------------


class Twin:
    """A network namespace with a scene."""

    def __init__(self, scene: str) -> None:
        from netlink._nlsock import CLONE_NEWNET, unshare

        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            unshare(CLONE_NEWNET)
        except PermissionError as error:
            os.close(self.home)
            pytest.skip(f"the kernel refuses a network namespace: {error}")
        self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._return()
        with self:
            for setting in ("accept_dad", "dad_transmits", "router_solicitations"):
                Path(f"/proc/sys/net/ipv6/conf/default/{setting}").write_text("0")
        self.tell(scene)

    def __enter__(self) -> "Twin":
        from netlink._nlsock import CLONE_NEWNET, setns

        setns(self.fd, CLONE_NEWNET)
        return self

    def __exit__(self, *exception: object) -> None:
        self._return()

    def _return(self) -> None:
        from netlink._nlsock import CLONE_NEWNET, setns

        setns(self.home, CLONE_NEWNET)

    def close(self) -> None:
        """Let the kernel remove the namespace."""
        os.close(self.fd)
        os.close(self.home)

    def tell(self, words: str) -> None:
        """Execute commands of `ip` and `tc`, which must succeed. Skip if the kernel lacks them."""
        lines = [line.strip() for line in words.replace(";", "\n").splitlines()]
        for program, begins in (("ip", ""), ("tc", "tc ")):
            mine = [line for line in lines if line.startswith("tc ") == bool(begins)]
            with self:
                done = run(
                    [program, "-batch", "-"], "\n".join(f"{one[len(begins) :]}" for one in mine)
                )
            skip_if_lacking(done.stderr)
            assert not done.returncode, f"{words}: {done.stderr}"

    def state(self) -> list[Any]:
        """Return what `ip` shows of the namespace."""
        found = []
        with self:
            for option, questions in QUESTIONS.items():
                command = ["ip", *([option] if option else []), "-j", "-d", "-batch", "-"]
                text = run(command, questions).stdout
                for answer in answers(text):
                    rows = [calm(row) for row in answer if not is_multicast(row)]
                    # The kernel shows IPv6 routes in an order of its own.
                    found.append(sorted(rows, key=json.dumps))
        return found


@contextmanager
def twins(scene: str, kind: type[Twin] = Twin) -> Iterator[tuple[Twin, Twin]]:
    """Two namespaces with the same scene. `kind` says how their state is read."""
    ours = kind(scene)
    try:
        theirs = kind(scene)
        try:
            yield ours, theirs
        finally:
            theirs.close()
    finally:
        ours.close()


def settled(ours: Twin, theirs: Twin, what: str) -> list[Any]:
    """Return the state of both, once it is the same: some parts follow later."""
    end = time.monotonic() + PATIENCE
    while True:
        mine, other = ours.state(), theirs.state()
        if mine == other and "tentative" not in json.dumps(mine):
            return mine
        if time.monotonic() > end:
            assert difference(mine, other) == ([], []), what
            return mine
        time.sleep(0.01)


def is_multicast(row: Any) -> bool:
    """Return whether the kernel made this neighbour to report groups, at a time that varies."""
    return "state" in row and "dst" in row and ip_address(row["dst"]).is_multicast


def difference(mine: list[Any], other: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return what `ip` shows in only one of the namespaces."""
    first = [item for answer in mine for item in answer]
    second = [item for answer in other for item in answer]
    return (
        [item for item in first if item not in second],
        [item for item in second if item not in first],
    )


# --- iproute2 -------------------------------------------------------------------------------------


def run(command: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program in the namespace of this thread."""
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)


def told(words: str) -> str:
    """Execute a command of iproute2. Return what it printed if it failed, or an empty text."""
    arguments = shlex.split(words)
    program = [] if arguments[0] in ("bridge", "tc") else ["ip"]
    done = run([*program, *arguments])
    return (done.stderr.strip() or done.stdout.strip() or "failed") if done.returncode else ""


def answers(text: str) -> Iterator[Any]:
    """Return the JSON values that `ip -batch` printed."""
    decoder = json.JSONDecoder()
    at = 0
    while (at := len(text) - len(text[at:].lstrip())) < len(text):
        value, at = decoder.raw_decode(text, at)
        yield value


def calm(value: Any) -> Any:
    """Return a JSON value without parts that change by themselves."""
    if isinstance(value, dict):
        return {
            key: round(item / 10) if key in LIFETIMES and item < 0xFFFFFFFF else calm(item)
            for key, item in value.items()
            if key not in MOVING
        }
    return [calm(item) for item in value] if isinstance(value, list) else value


# --- rows -----------------------------------------------------------------------------------------


def play(row: Row, scene: str, kind: type[Twin] = Twin) -> None:
    """Execute a row in two namespaces, and compare."""
    with twins(f"{scene}\n{row.given}", kind) as (ours, theirs):
        before = settled(ours, theirs, "the scene")
        with theirs:
            answer = told(row.theirs)
        if not row.errno:
            skip_if_lacking(answer)
        with ours, Connection(FAMILY, timeout=10) as nl:
            if row.wrong:
                refuse_before_sending(nl, row, answer)
            elif row.errno:
                refuse(nl, row, answer)
            else:
                assert not answer, f"{row.theirs}: {answer}"
                nl.do(row.ours)
        after = settled(ours, theirs, row.theirs)
        if row.wrong:
            assert after == before, "what was refused changed something"
        elif not row.errno:  # the kernel may leave an entry that it refused to complete
            assert after != before, "the sentence changed nothing"


def skip_if_lacking(answer: str) -> None:
    """Skip a row whose words the kernel does not know."""
    if any(lack in answer for lack in LACKS):
        pytest.skip(f"the kernel lacks it: {' '.join(answer.split())}")


def refuse(nl: Connection, row: Row, answer: str) -> None:
    """Check that both get the same error: ip prints its text or that of the errno."""
    assert answer, f"{row.theirs} succeeded"
    with pytest.raises(KernelError) as caught:
        nl.do(row.ours)
    error = caught.value
    assert error.errno == row.errno, error
    message = error.message or os.strerror(row.errno)
    # ip looks the index of a link up itself.
    is_missing = any(words in answer for words in ("Cannot find device", "Device does not exist"))
    assert message in answer or (is_missing and "does not exist" in message), answer


def refuse_before_sending(nl: Connection, row: Row, answer: str) -> None:
    """Check that both refuse the sentence themselves."""
    assert answer and "RTNETLINK answers" not in answer, answer
    with pytest.raises((TypeError, ValueError)) as caught:
        nl.do(row.ours)
    assert row.ours.name in str(caught.value)
    assert nl.stats.sent == 0
