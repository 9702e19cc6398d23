"""Fuzzing: targets with properties, and sessions that search for inputs that break them.

`python -m tests.fuzz --hours 1` runs a session: __main__.py describes it. Each target is a module
with a function `run(data)`. It turns any bytes into a test case and raises if a property does not
hold. table.py lists the targets. `regressions/` has the inputs that once failed, and
tests/test_fuzz.py replays them. A target must find families and message classes by itself, so that
new ones are fuzzed from their first day.
"""
