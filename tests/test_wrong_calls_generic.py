"""Wrong calls of the plans of generic families fail before anything is sent."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from netlink import Plan
from netlink.generic import nlctrl, taskstats

NO_NAME = (5, b"nlctrl", None, "", ["nlctrl"])
NO_NUMBER = ("1", 1.5, True, None, -1, 1 << 31)
NO_CPUS = (5, None, b"0-3", iter([0]), (cpu for cpu in [0]), 1.5, ["0"], [-1], [True], [None])
CALLS: tuple[tuple[str, Callable[[Any], Plan[Any]], tuple[Any, ...]], ...] = (
    ("nlctrl.find_family", nlctrl.find_family, NO_NAME),
    ("nlctrl.policy", nlctrl.policy, NO_NAME),
    ("taskstats.of_pid", taskstats.of_pid, NO_NUMBER),
    ("taskstats.of_tgid", taskstats.of_tgid, NO_NUMBER),
    ("taskstats.of_cgroup", taskstats.of_cgroup, NO_NUMBER),
    ("taskstats.listen", taskstats.listen, NO_CPUS),
    ("taskstats.unlisten", taskstats.unlisten, NO_CPUS),
)


@pytest.mark.parametrize("name, call, values", CALLS, ids=[name for name, _, _ in CALLS])
def test_wrong_values(name: str, call: Callable[[Any], Plan[Any]], values: tuple[Any, ...]) -> None:
    for value in values:
        with pytest.raises((TypeError, ValueError), match=re.escape(name)) as caught:
            pytest.fail(f"{value!r} gives {next(call(value).steps())!r}", pytrace=False)
        assert "expect" in str(caught.value)


@pytest.mark.parametrize(
    "cpus, text", [("0-3,8", "0-3,8"), ("0-3\n", "0-3"), ([0, 2], "0,2"), (range(3), "0,1,2")]
)
def test_cpus(cpus: Any, text: str) -> None:
    (asked,) = (next(taskstats.listen(cpus).steps()),)
    assert asked.message.register_cpumask == text
    assert next(taskstats.unlisten(cpus).steps()).message.deregister_cpumask == text


def test_misspelt() -> None:
    with pytest.raises(TypeError, match=r"taskstats\.of_pid\(\) has no parameter 'pidd'"):
        taskstats.of_pid(pidd=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"nlctrl\.policy\(\) missing 1 required"):
        nlctrl.policy()  # type: ignore[call-arg]
