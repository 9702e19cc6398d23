"""Runs a plan without a connection: a test states the answer to each step.

This module contains no tests.
"""

from __future__ import annotations

from typing import Any

from netlink.family import Plan


class Kernel:
    """Answers the steps of a plan."""

    def __init__(self, *answers: Any) -> None:
        self.answers = [*answers]
        self.steps: list[Any] = []

    def do(self, plan: Plan[Any]) -> Any:
        steps = plan.steps()
        answer: Any = None
        try:
            while True:
                is_error = isinstance(answer, BaseException)
                step = steps.throw(answer) if is_error else steps.send(answer)
                self.steps.append(step)
                answer = self.answers.pop(0)
        except StopIteration as end:
            return end.value
