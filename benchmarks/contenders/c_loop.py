"""What a C program without batches does: one request a send, then a recv of its ACK."""

from . import Contender, compiled

CONTENDER = Contender(workloads=("insert-routes",), command=compiled("c_loop.c"))
