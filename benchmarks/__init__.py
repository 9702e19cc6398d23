"""The benchmark harness: the same work by several contenders in the same run. See README.md."""
