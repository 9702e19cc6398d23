"""The floor: a C program that receives messages and reads no value.

Nearly all of its time is spent in the kernel, so the other contenders are compared with it. This
module only builds the command; the program is c_floor.c.
"""

from . import Contender, compiled

CONTENDER = Contender(
    workloads=("dump-routes", "insert-routes", "request-latency"), command=compiled("c_floor.c")
)
