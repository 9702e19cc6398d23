# The C layout of what the engine reads from _core.

cimport cython


@cython.final
cdef class Run:
    cdef readonly bytes data
    cdef readonly Py_ssize_t start
    cdef readonly Py_ssize_t end
    cdef readonly Py_ssize_t count
    cdef readonly unsigned int type
    cdef readonly unsigned int flags
    cdef readonly unsigned int seq
    cdef readonly unsigned int port
    cdef readonly unsigned int group
    cdef readonly int nsid
    cdef readonly bint is_ack
    cdef readonly bint is_own
    cdef readonly object fault
