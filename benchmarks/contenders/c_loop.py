"""The plain loop in C: one request per send, then one recv of its ACK.

It shows what a C program without batches achieves. This module only builds the command; the program
is c_loop.c.
"""

from . import Contender, compiled

CONTENDER = Contender(workloads=("insert-routes",), command=compiled("c_loop.c"))
