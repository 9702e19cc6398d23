"""The benchmark harness: it measures the same work by several contenders in one run.

`run.py` runs a workload, `measure.py` times a contender. The package must not be installed, and
the library must not import it. It exists so that every claim of speed can be repeated. See
README.md.
"""
