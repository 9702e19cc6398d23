# The C types of engine.py: the build compiles that file with them.

cimport cython

from netlink._core cimport Run
from netlink._exchange cimport Batch, Exchange


cdef class Stats:
    cdef public long long bytes, datagrams, dropped, events, late, malformed, messages, overruns
    cdef public long long sent, strangers


cdef class Queue:
    cdef object __weakref__
    cdef public set groups
    cdef public dict named
    cdef public object predicate
    cdef public long long limit
    cdef public bint closed
    cdef object _dispatch, _entries, _begun
    cdef public long long _size
    cdef long long _dropped

    cpdef list select(self, Run run)
    cpdef long long store(self, Run run, list selected)
    cpdef object mark(self, batch, long long size=*)
    cpdef object take(self)
    cpdef object take_whole(self)


cdef class Engine:
    cdef object __weakref__
    cdef public tuple families
    cdef public object resolver, lock, dispatch, framing, events, forsaken
    cdef public bint bracketed, draining
    cdef public Stats stats
    cdef public unsigned long port
    cdef public long long rcvbuf
    cdef public list outgoing, inbox, rejoin, queues
    cdef public set silent
    cdef object _runs, _line
    cdef public object _dumps, _dump
    cdef long _attempts
    cdef public long long drops
    cdef public long long _seq
    cdef public dict _waiting
    cdef set _abandoned
    cdef dict _held, _questions
    cdef list _batches
    cdef public set _lost
    cdef bint _is_begun, _is_due

    cpdef Exchange submit(self, request, timeout=*, bint dump=*, retries=*)
    cpdef object resubmit(self, Exchange exchange)
    cpdef object prepare(self, waiter)
    cdef bint _has_room(self)
    cdef object _admit(self)
    cdef object _begin(self, Exchange exchange)
    cdef object _send(self, Exchange exchange, number)
    cdef object _begin_batch(self, Batch batch)
    cpdef object send_failed(self, buffers, error)
    cpdef object note_sent(self)
    cpdef object abandon(self, waiter)
    cpdef object give_up(self, waiter)
    cpdef object found_nothing(self)
    cdef object _hold(self, family, waiter)
    cdef object _ask(self, family)
    cdef object _answered(self, family, Exchange answer)
    cdef object _learn(self, Run run)
    cdef object _follow_groups(self)
    cdef bint _doubt(self, Exchange exchange, error)
    cpdef object feed(self, data, index)
    cpdef object sort_inbox(self)
    cdef object _drop_run(self)
    cdef object _sort(self, Run run)
    cdef object _malformed(self, Run run)
    @cython.locals(queue=Queue, selected=list, entries=list)
    cdef object _event(self, Run run)
    @cython.locals(queue=Queue)
    cdef list _listening(self, group)
    cpdef object overrun(self)
    cpdef object drained(self, drops=*)
    cdef bint _fail(self, fault)
    cdef set _unsent(self)
    cpdef long long owed(self)
    @cython.locals(exchange=Exchange, batch=Batch)
    cdef object _answer(self, Run run, seq)
    @cython.locals(exchange=Exchange, batch=Batch)
    cdef object _control(self, Run run)
    @cython.locals(exchange=Exchange, batch=Batch, done="long long")
    cdef object _acknowledged(self, seq, long long count)
    cdef bint _answer_follows(self, Exchange exchange)
    cdef bint _is_echo(self, seq)
    cdef bint _is_unsolicited(self, Run run)
    @cython.locals(exchange=Exchange)
    cdef bint _is_unnumbered(self, Run run)
    @cython.locals(batch=Batch)
    cdef Batch _batch_of(self, seq)
    cdef object _drop(self, Batch batch)
    cdef object _close(self, Batch batch)
    cdef Exchange _get(self, seq)
    cdef Exchange _pop(self, seq, bint ended=*)
    cdef object _finish(self, Exchange exchange, error=*)
    cdef object _next_dump(self, ended)
    cdef object _begin_dumps(self)
    cdef object _lose_dump(self)
    cdef bint _is_busy(self, Exchange exchange, error)
