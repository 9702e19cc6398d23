"""libmnl in C: what a program for events costs without Python.

It is the base of the workload `events`. This module only builds the command; the program is
c_mnl.c. It needs the headers of libmnl.
"""

from . import Contender, compiled

CONTENDER = Contender(workloads=("events",), command=compiled("c_mnl.c", "-lmnl"))
