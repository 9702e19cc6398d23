"""The audit system of the live kernel: status, rules, and records.

The kernel has one audit system for all network namespaces, so each test leaves it as it was. One
test becomes the audit daemon, for a moment.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from netlink import Connection, EncodeError, KernelError, audit
from netlink.audit import ACTION, FIELD, FILTER, STATUS, TYPE, Record, audit_status

PATIENCE = 20.0
KEY = f"test-{os.getpid()}"


@pytest.fixture(autouse=True)
def _private() -> None:
    """No network namespace of one's own: records come in the initial one only."""


@pytest.fixture
def nl() -> Iterator[Connection]:
    with Connection(audit.FAMILY, timeout=PATIENCE) as connection:
        try:
            status = connection.do(audit.get())
        except (KernelError, OSError) as error:
            pytest.skip(f"the kernel refuses: {error}")
        if status.enabled == 2:
            pytest.skip("the audit system is locked")
        yield connection


@pytest.fixture
def enabled(nl: Connection) -> Iterator[None]:
    before = nl.do(audit.get()).enabled
    nl.do(audit.change(enabled=True))
    yield
    nl.do(audit.change(enabled=bool(before)))


def test_answers_come_after_the_acknowledgement(nl: Connection) -> None:
    """Fact: Answers have nlmsg_pid 0, and the ACK comes BEFORE the answer, errno 0: match by seq;
    do not end at the ACK."""
    status = nl.do(audit.get())
    assert type(status) is audit_status
    assert status.pid is not None and status.backlog_limit > 0 and status.unknown == ()
    assert [type(each) for each in nl.do_many([audit.get()] * 3)] == [audit_status] * 3
    assert nl.do(audit.get_feature()).vers == 1
    assert nl.do(audit.get_tty()).log_passwd in (0, 1)


def test_settings(nl: Connection) -> None:
    before = nl.do(audit.get())
    try:
        nl.do(audit.change(rate_limit=77, backlog_limit=321, failure="silent"))
        after = nl.do(audit.get())
        assert (after.rate_limit, after.backlog_limit, after.failure) == (77, 321, 0)
        assert (after.enabled, after.pid) == (before.enabled, before.pid)
        assert after.backlog_wait_time == before.backlog_wait_time
    finally:
        nl.do(
            audit.change(
                rate_limit=before.rate_limit,
                backlog_limit=before.backlog_limit,
                failure=int(before.failure),
            )
        )


def test_rules(nl: Connection, tmp_path: Path) -> None:
    """Fact: LIST_RULES: answer parts are AUDIT_LIST_RULES (1013) MULTI, then DONE, though it is no
    NLM_F_DUMP; audit_rule_data 1040 bytes + buf."""
    before = nl.do(audit.list_rules())
    rule: dict[str, Any] = {
        "fields": [("dir", "=", str(tmp_path)), ("perm", "=", "wa"), ("uid", ">=", 1000)],
        "key": KEY,
    }
    calls: dict[str, Any] = {
        "syscalls": [0, 59, 322], "fields": [("pid", "!=", 7), ("arg0", "&", 3)], "key": KEY,
        "action": "never",
    }  # fmt: skip
    nl.do(audit.add_rule(**rule))
    try:
        nl.do(audit.add_rule(**calls, first=True))
        found = [
            each
            for each in nl.do(audit.list_rules())
            if any(part.value == KEY for part in each.conditions)
        ]
        first, second = found
        assert first.syscalls == (0, 59, 322) and first.action is ACTION.AUDIT_NEVER
        assert first.conditions[:2] == ((FIELD.AUDIT_PID, "!=", 7), (FIELD.AUDIT_ARG0, "&", 3))
        assert second.syscalls is None and second.filter is FILTER.AUDIT_FILTER_EXIT
        assert second.conditions == (
            (FIELD.AUDIT_DIR, "=", str(tmp_path)), (FIELD.AUDIT_PERM, "=", 10),
            (FIELD.AUDIT_UID, ">=", 1000), (FIELD.AUDIT_FILTERKEY, "=", KEY),
        )  # fmt: skip
        assert 0 <= len(bytes(second)) - 1040 - second.buflen < 4  # padding
        with pytest.raises(FileExistsError):
            nl.do(audit.add_rule(**rule))
        nl.do(audit.delete_rule(**first.to_dict()))
        nl.do(audit.remove_rule(**rule))
    finally:
        for each in nl.do(audit.list_rules()):
            if any(part.value == KEY for part in each.conditions):
                nl.do(audit.delete_rule(**each.to_dict()))
    assert nl.do(audit.list_rules()) == before
    with pytest.raises(FileNotFoundError):
        nl.do(audit.remove_rule(**rule))


def records(listener: Connection, last: TYPE) -> list[Record]:
    """The records of the log up to the first of a type."""
    found: list[Record] = []
    for record in listener.events(timeout=PATIENCE):
        assert isinstance(record, Record)
        found.append(record)
        if record.nlmsg_type == last:
            return found
    raise AssertionError(f"{last} did not come")


def test_records_of_a_system_call(nl: Connection, enabled: None, machine_root: None) -> None:
    """Fact: a reader uses group 1 (READLOG). Text payload without NUL; parse
    "audit(sec.ms:serial): "."""
    rule: dict[str, Any] = {"fields": [("exe", "=", os.path.realpath("/bin/true"))], "key": KEY}
    with Connection(audit.FAMILY, timeout=PATIENCE) as listener:
        listener.join("readlog")
        nl.do(audit.add_rule(**rule))
        began = time.time_ns() // 10**6
        try:
            subprocess.run(["/bin/true"], check=True)
            call = None
            while call is None:
                event = records(listener, TYPE.AUDIT_EOE)
                for record in event:
                    if record.nlmsg_type == TYPE.AUDIT_SYSCALL and record.fields["key"] == KEY:
                        call = record
        finally:
            nl.do(audit.remove_rule(**rule))
    assert call.serial == event[-1].serial
    assert call.fields["exe"] == os.path.realpath("/bin/true")
    assert call.time_ms is not None and call.time_ms >= began - 1000
    assert event[-1].nlmsg_name == "AUDIT_EOE"


def test_a_record_may_have_any_bytes(nl: Connection, enabled: None, machine_root: None) -> None:
    """Fact: any bytes (user text caf\\xc3..)."""
    with Connection(audit.FAMILY, timeout=PATIENCE) as listener:
        listener.join("readlog")
        nl.do(audit.write(text=f"op={KEY} caf\udcc3"))
        record = records(listener, TYPE.AUDIT_USER)[-1]
    assert record.fields["msg"] == f"op={KEY} caf\udcc3"
    assert record.fields["pid"] == str(os.getpid())


def test_nobody_becomes_the_daemon_by_accident(nl: Connection) -> None:
    """Fact: SET pid: never take it by default."""
    before = nl.do(audit.get()).pid
    for mask in (STATUS.AUDIT_STATUS_PID, "pid|enabled", 4, 0xFF):
        with pytest.raises(TypeError, match=r"audit\.set\(\) does not set pid"):
            audit.set(mask=mask, pid=os.getpid())
    nl.do(audit.set(mask="rate_limit", pid=os.getpid(), rate_limit=nl.do(audit.get()).rate_limit))
    nl.do(audit.change(rate_limit=nl.do(audit.get()).rate_limit))
    assert nl.do(audit.get()).pid == before


def test_the_daemon(nl: Connection, enabled: None, machine_root: None) -> None:
    """Fact: SET pid: own pid only (another: EINVAL); second taker EEXIST. Messages from kernel to
    auditd's port (unicast records) have nlmsg_len WITHOUT the header."""
    if nl.do(audit.get()).pid:
        pytest.skip("the machine has an audit daemon")
    with pytest.raises(KernelError) as caught:
        nl.do(audit.become_daemon(os.getpid() + 1))
    assert caught.value.errno == errno.EINVAL
    with Connection(audit.FAMILY, timeout=PATIENCE) as daemon:
        daemon.do(audit.become_daemon(os.getpid()))
        try:
            assert nl.do(audit.get()).pid == os.getpid()
            with pytest.raises(FileExistsError):
                nl.do(audit.become_daemon(os.getpid()))
            nl.do(audit.write(text=f"op={KEY} the whole text arrives"))
            record = records(daemon, TYPE.AUDIT_USER)[-1]
            assert record.fields["msg"] == f"op={KEY} the whole text arrives"
        finally:
            daemon.do(audit.stop_daemon())
    assert nl.do(audit.get()).pid == 0


@pytest.mark.parametrize(
    ("options", "text"), [(["-Ur"], "ECONNREFUSED"), (["--pid", "--fork"], "EPERM")]
)
def test_other_namespaces_are_refused(
    nl: Connection, machine_root: None, options: list[str], text: str
) -> None:
    """Fact: other user namespace ECONNREFUSED as an errno; child pid namespace EPERM."""
    script = (
        "from netlink import Connection, audit\n"
        "with Connection(audit.FAMILY, timeout=5) as nl:\n"
        "    try:\n"
        "        nl.do(audit.get())\n"
        "    except OSError as error:\n"
        "        print(error)\n"
    )
    command = ["unshare", *options, sys.executable, "-c", script]
    root = Path(audit.__file__).parent.parent
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("audit.get: ") and text in done.stdout


def test_namespaces(nl: Connection, netns: None) -> None:
    """Fact: other net namespace works for GET."""
    with Connection(audit.FAMILY, timeout=PATIENCE) as elsewhere:
        assert elsewhere.do(audit.get()).backlog_limit > 0


WRONG: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (audit.add_rule, {}, TypeError, r"add_rule\(\) needs fields or syscalls"),
    (audit.add_rule, {"fields": [("uidd", "=", 0)]}, EncodeError, r"\[0\]\.field: .*mean 'uid'"),
    (audit.add_rule, {"fields": [(99, "=", 0)]}, EncodeError, r"\[0\]\.field: expected the name"),
    (audit.add_rule, {"fields": [("uid", "==", 0)]}, EncodeError, r"operator: expected one of ="),
    (audit.add_rule, {"fields": [("uid", "=", "root")]}, EncodeError, r"value: expected an int"),
    (audit.add_rule, {"fields": [("uid", "=", 1 << 32)]}, EncodeError, r"value: expected an int"),
    (audit.add_rule, {"fields": [("exe", "=", 0)]}, EncodeError, r"value: expected a str"),
    (audit.add_rule, {"fields": [("exe", "=", None)]}, EncodeError, r"value: expected a str"),
    (audit.add_rule, {"fields": [("perm", "=", "q")]}, EncodeError, r"value: expected letters"),
    (audit.add_rule, {"fields": [("uid", "=")]}, EncodeError, r"\[0\]: expected \(field, operator"),
    (audit.add_rule, {"fields": {"uid": 0}}, EncodeError, r"fields: expected a list of compar"),
    (audit.add_rule, {"fields": [("uid", "=", 0)] * 65}, EncodeError, r"at most 64 comparisons"),
    (audit.add_rule, {"syscalls": "all"}, EncodeError, r"syscalls: expected numbers"),
    (audit.add_rule, {"syscalls": [2016]}, EncodeError, r"syscalls: expected numbers from 0 to"),
    (audit.add_rule, {"syscalls": [1], "on": "exitt"}, EncodeError, r"\.on: .*did you mean 'exit'"),
    (audit.add_rule, {"syscalls": [1], "key": "k" * 256}, EncodeError, r"key: .* has 256 bytes"),
    (audit.remove_rule, {}, TypeError, r"remove_rule\(\) needs fields or syscalls"),
    (audit.remove_rule, {"first": True}, TypeError, r"remove_rule\(\) has no parameter 'first'"),
    (audit.change, {}, TypeError, r"change\(\) needs something to change: enabled"),
    (audit.change, {"enabled": 2}, EncodeError, r"change\.enabled: expected True or False"),
    (audit.change, {"pid": 1}, TypeError, r"change\(\) has no parameter 'pid'"),
    (audit.become_daemon, {"pid": 0}, EncodeError, r"become_daemon\.pid: expected an int from 1"),
]


@pytest.mark.parametrize(("plan", "words", "error", "text"), WRONG)
def test_wrong_calls(
    plan: Any, words: dict[str, Any], error: type[Exception], text: str, nl: Connection
) -> None:
    before = nl.do(audit.list_rules())
    with pytest.raises(error, match=text):
        nl.do(plan(**words))
    assert nl.do(audit.list_rules()) == before
