"""The floor: C that receives and reads no value. What is left is almost all the kernel's work."""

from . import Contender, compiled

CONTENDER = Contender(
    workloads=("dump-routes", "insert-routes", "request-latency"), command=compiled("c_floor.c")
)
