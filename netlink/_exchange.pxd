# The C layout of the classes of _exchange.py. The build compiles that file with these types.

cimport cython

from netlink._core cimport Run


cdef class Exchange:
    cdef object __weakref__
    cdef public object request, dispatch, timeout, runs, current, error, warning
    cdef public object sent_to, doubted
    cdef public long long seq
    cdef public long retries
    cdef public bint is_dump, ready, done, exhausted, acked, is_warned, interrupted, handed_out
    cdef public bint wants_restart

    cpdef object finish(self, error=*)
    cpdef object restart(self)
    cpdef object abandon(self)
    @cython.locals(run=Run)
    cpdef object result(self)
    @cython.locals(run=Run)
    cpdef object take(self)
    cdef object _want_restart(self)
    cdef object _raise_status(self)
    cdef object _restart_or_raise(self, partial, bint is_whole)


cdef class Batch:
    cdef public object requests, dispatch, timeout, error, asks
    cdef public dict warnings
    cdef public long long first, limit, unanswered, answer_size
    cdef public bint ack_last, has_messages
    cdef dict _errors, _answers, _covers
    cdef bytearray _open

    cpdef bint holds(self, long long seq)
    cpdef object request_of(self, long long seq)
    cpdef bint is_waiting_for(self, long long seq)
    cpdef long long count_from(self, long long seq)
    cpdef object store(self, run)
    cpdef long long answer(self, long long seq, long long count=*, error=*)
    cdef object _settle(self, Py_ssize_t start, Py_ssize_t end)
    cdef object _find_brackets(self)
    cdef object _refuse(self, Py_ssize_t start, error)
    cdef bint _must_answer(self)
    cdef object _outcome(self, position, request)
