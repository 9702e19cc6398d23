"""The loop in C that receives many datagrams per system call.

It shows what a C program can gain over `c_recv`. This module only builds the command; the program
is c_recvmmsg.c.
"""

from . import Contender, compiled

CONTENDER = Contender(workloads=("flood",), command=compiled("c_recvmmsg.c"))
