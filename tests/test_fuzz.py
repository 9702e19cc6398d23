"""Fuzzing: old findings, a short session of each target, and proof that targets find faults.

The sessions here have no coverage, so that they run on every build and every system. A session with
coverage is `python -m tests.fuzz`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from netlink import DecodeError, Message, _core, capture, extack, trace, ynl
from tests import things
from tests.fuzz import __main__ as command
from tests.fuzz import blind, corpus
from tests.fuzz.mutate import mutated, parsed, written
from tests.fuzz.source import Ring, Source, chunk, execute
from tests.fuzz.table import TARGETS
from tests.generated import CLASSES

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the targets need Linux")

ROOT = Path(__file__).parent.parent
RUNS = 60  # of each target here
MOST_SEEDS = 150

OLD = [
    pytest.param(name, bytes.fromhex(record["hex"]), id=f"{name}: {record['what']}")
    for name in TARGETS
    for record in corpus.regressions(name)
]


def seeds_of(name: str) -> list[bytes]:
    """Return some seeds of a target, short ones."""
    found = corpus.seeds(TARGETS[name].load())
    assert found
    return Random(1).sample(found, min(len(found), MOST_SEEDS))


@pytest.mark.parametrize(("name", "data"), OLD)
def test_old_findings(name: str, data: bytes) -> None:
    execute(TARGETS[name].load(), data, thorough=True)


@pytest.mark.parametrize("name", TARGETS)
def test_a_short_session(name: str) -> None:
    target = TARGETS[name].load()
    seeds = seeds_of(name)
    for seed in seeds:
        execute(target, seed)
    blind.search(target, lambda data: execute(target, data), seeds, RUNS, TARGETS[name].longest)


# --- every target finds what it is for -----------------------------------------------------------


class Liar:
    """Calls a function and changes what it returns."""

    def __init__(self, function: Callable[..., Any], change: Callable[[Any], Any]) -> None:
        self.function = function
        self.change = change

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.change(self.function(*args, **kwargs))


def lie_about_messages(patch: pytest.MonkeyPatch) -> None:
    to_dict = Message.to_dict
    patch.setattr(Message, "to_dict", lambda self: dict([*to_dict(self).items()][1:]))


def lie_about_runs(patch: pytest.MonkeyPatch) -> None:
    from tests.fuzz import framing

    patch.setattr(framing, "runs", Liar(_core.runs, lambda found: found[:-1]))


def lie_about_datagrams(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(trace.Traced, "__str__", lambda self: "")


def lie_about_columns(patch: pytest.MonkeyPatch) -> None:
    from tests.fuzz import columns

    patch.setattr(columns, "value_of", Liar(columns.value_of, lambda value: (value,)))


def lie_about_captures(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(capture, "_without_padding", lambda data: data[:-1])


def lie_about_replies(patch: pytest.MonkeyPatch) -> None:
    from tests.fuzz import replies

    def fails(*args: Any) -> Any:
        raise DecodeError("an extended ACK that is malformed")

    patch.setattr(extack, "_name_in", fails)
    patch.setattr(replies, "status", Liar(extack.status, lambda found: (None, found[1])))


def lie_about_made(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Message, "replace", lambda self, **changes: changes["no such"])


def lie_about_answers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(things.Thing, "number", property(lambda self: 99))


def lie_about_specs(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ynl.SpecFamily, "__repr__", lambda self: "")


LIES = {
    "captures": lie_about_captures,
    "columns": lie_about_columns,
    "construct": lie_about_made,
    "conversation": lie_about_answers,
    "datagrams": lie_about_datagrams,
    "framing": lie_about_runs,
    "messages": lie_about_messages,
    "replies": lie_about_replies,
    "specs": lie_about_specs,
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target = TARGETS[name].load()
    seeds = seeds_of(name)
    LIES[name](monkeypatch)
    found = []
    for seed in seeds:
        try:
            execute(target, seed)
        except Exception as error:
            found.append(error)
    assert found, "no seed shows the fault"


def test_time_and_memory_have_bounds() -> None:
    class Greedy:
        @staticmethod
        def run(data: bytes) -> None:
            bytearray(len(data) * 1_000_000)

    with pytest.raises(AssertionError, match="bytes of memory for 3 bytes"):
        execute(Greedy, b"abc", thorough=True)

    class Slow:
        @staticmethod
        def run(data: bytes) -> None:
            end = time.thread_time() + 1.1
            while time.thread_time() < end:
                pass

    with pytest.raises(AssertionError, match="s, 3 bytes"):
        execute(Slow, b"abc")


# --- inputs ---------------------------------------------------------------------------------------


def test_every_class_is_chosen_by_its_key() -> None:
    from tests.fuzz import messages

    assert len(messages.BY_NAME.items) == len(CLASSES)
    for cls in CLASSES:
        assert messages.BY_NAME.choose(Source(messages.key(cls))) is cls


def test_a_key_stays_when_items_are_added() -> None:
    few = Ring((name, name) for name in ("one", "two", "three"))
    many = Ring((str(name), str(name)) for name in ("one", "two", "three", *range(100)))
    for name in few.items:
        assert few.keys[name] == many.keys[name]
        assert many.choose(Source(many.keys[name])) == name
    assert {few.choose(Source(bytes([n] * 4))) for n in range(256)} == {*few.items}


def test_a_source_ends_in_zeros() -> None:
    source = Source(b"\1\2\3" + chunk(b"ab") + b"z")
    assert (source.integer(1), source.integer(2)) == (1, 0x0302)
    assert source.chunk() == b"ab" and source
    assert source.rest() == b"z" and not source
    assert (source.integer(4), source.chunk(), source.below(7)) == (0, b"", 0)


def test_changed_attributes_have_right_lengths() -> None:
    record = next(r for r in corpus.datagrams() if len(r) > 500)
    head, attributes = record[:32], record[32:]
    found = parsed(attributes, 0)
    assert found is not None and written(found) == attributes
    changed = {mutated(record, 32, Random(n), lambda old: old + b"x") for n in range(200)}
    assert len(changed) > 150
    for data in changed:
        assert data is not None and data[:32] == head and parsed(data[32:], 0) is not None
    assert mutated(b"no attributes", 0, Random(1), bytes) is None


# --- sessions -------------------------------------------------------------------------------------


def fuzz(*args: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "tests.fuzz", *args]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_a_blind_session_by_the_command() -> None:
    done = fuzz("framing", "--blind", "--runs", "50")
    assert done.returncode == 0, done.stderr
    assert "fuzz: framing: " in done.stdout and "no coverage, 0 findings" in done.stdout


def test_without_tools_a_session_is_blind_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", ["fuzz", "framing", "--runs", "20"])
    assert command.main() == 0
    out = capsys.readouterr().out
    assert "no coverage, so the search is blind" in out
    assert "is missing: " in out


def test_a_finding_is_stored_and_is_the_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "FINDINGS", tmp_path / "findings")
    monkeypatch.setattr(corpus, "REGRESSIONS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["fuzz", "captures", "--blind", "--runs", "20"])
    lie_about_captures(monkeypatch)
    assert command.main() == 1
    monkeypatch.undo()
    [stored] = (tmp_path / "findings").iterdir()
    assert str(stored) in capsys.readouterr().out
    monkeypatch.setattr(corpus, "REGRESSIONS", tmp_path)
    monkeypatch.setattr(
        sys, "argv", ["fuzz", "--record", "captures", str(stored), "a byte was lost"]
    )
    assert command.main() == 0
    record = {"what": "a byte was lost", "hex": stored.read_bytes().hex()}
    assert corpus.regressions("captures") == [record]
    assert json.loads((tmp_path / "captures.jsonl").read_text()) == record


def test_an_unknown_target_is_refused() -> None:
    done = fuzz("no-such")
    assert done.returncode == 2
    assert "there is no target 'no-such'; there are: captures, columns" in done.stderr


def test_a_guided_session_reaches_the_core() -> None:
    """Only if asked for, because the instrumented build takes minutes."""
    if not os.environ.get("NETLINK_LONG"):
        pytest.skip("NETLINK_LONG is not set")
    done = fuzz("framing", "--fast", "--runs", "3000")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " edges, 0 findings" in done.stdout
