"""The plain loop in C that receives one datagram per system call.

It is the base of the workload `flood`. This module only builds the command; the program
is c_recv.c.
"""

from . import Contender, compiled

CONTENDER = Contender(workloads=("flood",), command=compiled("c_recv.c"))
