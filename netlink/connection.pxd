# The C types of connection.py: the build compiles that file with them.

cimport cython

from netlink._exchange cimport Exchange
from netlink.engine cimport Engine


cdef class Gate:
    cdef readonly unsigned long owner
    cdef list _queue

    cpdef object enter(self)
    cdef object _wait(self, unsigned long me)
    cpdef object enter_again(self)
    cpdef object leave(self)
    cdef object _call_next(self)


cdef class Channel:
    cdef readonly Engine engine
    cdef readonly object socket
    cdef readonly Gate gate
    cdef public object ahead
    cdef unsigned long _leader
    cdef list _followers

    @cython.locals(exchange=Exchange)
    cpdef object execute(self, request, timeout)
    @cython.locals(exchange=Exchange)
    cpdef object begin(self, request, timeout, retries)
    cpdef object wait(self, waiter, timeout)
    cpdef object wait_for_answer(self, waiter)
    cpdef object peek(self)
    cpdef object flush(self)
    cpdef object unsubscribe(self, queue)
    cpdef object begin_send(self, batch)
    cpdef object end_send(self, batch)
    cdef object _exit(self)
    cdef object _wake(self)
    cdef object _await(self, waiter, timeout, most=*)
    cdef object _fail(self, waiter, error)
    cdef object _follow(self, waiter, timeout)
    cpdef object _flush(self, timeout)
    cdef object _receive(self, timeout, most=*)
    cdef object _lead(self, timeout, most)
    cdef object _drain(self)
