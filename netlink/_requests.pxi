# Requests: ops that are called, and the headers before a body. _core.pyx includes this file.
#
# A request is an op and an encoded message. Here it gets its headers and is packed with others into
# the buffers of a send. This file must not know replies or the numbers of generic families.

@cython.final
@cython.no_gc
@cython.freelist(64)
cdef class Request:
    """One op with encoded arguments. It is immutable and can be sent any number of times.

    `is_dump` is true for a request from dump(), which a plan yields to get a dump.
    """
    cdef readonly object op
    cdef readonly View message
    cdef readonly bint is_dump

    def __init__(self, op not None, View message not None, *, bint is_dump=False):
        if self.message is not None:
            raise TypeError("a Request is immutable: make another one")
        self.op = op
        self.message = message
        self.is_dump = is_dump

    @classmethod
    def __class_getitem__(cls, item):
        return cls

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def dump(self):
        """Return this request as a dump for a plan to yield; the result is a list of messages."""
        return Request(self.op, self.message, is_dump=True)

    @property
    def name(self):
        """The op's name, such as "link.get"."""
        return self.op.name if self.op is not None else None

    def __repr__(self):
        return f"<Request {self.name} {self.message!r}>"


cdef class Verb:
    """The base of netlink.family.Op: what is needed to create and pack requests.

    `type` is the message type or the command. `flags` are NLM_F_* bits as an int. `request` is the
    message class. `bracket` is described in Op. The family sets `family` when the op is added.
    """
    cdef readonly object type
    cdef readonly int flags
    cdef readonly int bracket
    cdef readonly object request
    cdef public object family
    cdef Table table
    cdef int number
    cdef dict defaults   # default arguments of the requests, or None
    cdef void *vectorcall

    def __cinit__(self, *args, **kwargs):
        self.vectorcall = <void *>call_verb

    def __init__(self, type, request, int flags, int bracket, defaults=None):
        cdef Table table = table_of(request)
        cdef int number = type
        self.defaults = dict(defaults) if defaults else None
        self.type = type
        self.number = number
        self.request = request
        self.table = table
        self.flags = flags
        self.bracket = bracket

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __call__(self, *args, **fields):
        if args:
            raise positional(self)
        cdef tuple names = tuple(fields)
        cdef list values = PyDict_Values(fields)
        return call_verb(self, PySequence_Fast_ITEMS(values), 0, <PyObject *>names)


cdef object positional(Verb self):
    """Return the TypeError for arguments without a name."""
    return TypeError(f"{self.name}() takes its fields by name: {self.name}(field=value, ...)")


cdef object call_verb(Verb self, PyObject **args, size_t count, PyObject *names):
    """Create the request when an op is called. Positional arguments are refused."""
    if self.table is None:
        raise TypeError("this op was not initialized: a subclass must call Op.__init__()")
    cdef Request made = Request.__new__(Request)
    cdef dict fields
    cdef list values
    cdef Py_ssize_t i
    made.op = self
    if PyVectorcall_NARGS(count):
        raise positional(self)
    if self.defaults is not None:
        fields = dict(self.defaults)
        if names != NULL:
            given = <object>names
            for i in range(len(given)):
                fields[given[i]] = <object>args[i]
        given = tuple(fields)
        values = list(fields.values())
        made.message = <View>make_view(self.request, PySequence_Fast_ITEMS(values), 0,
                                       <PyObject *>given)
    else:
        made.message = <View>make_view(self.request, args, count, names)
    return made


cdef Verb some_verb = Verb.__new__(Verb)
netlink_vectorcall(Verb, <char *>&some_verb.vectorcall - <char *><PyObject *>some_verb)


def stamp(int type, int flags, unsigned int seq, unsigned int port, bytes payload not None):
    """Return a whole message: struct nlmsghdr (linux/netlink.h), then the payload."""
    cdef nlmsghdr header
    cdef Py_ssize_t size = NLMSG_HDRLEN + PyBytes_GET_SIZE(payload)
    if not 0 <= type <= 0xFFFF or not 0 <= flags <= 0xFFFF:
        raise ValueError(f"type {type} or flags {flags} is out of range: use 0 to 65535")
    cdef bytes result = PyBytes_FromStringAndSize(NULL, size)
    header = nlmsghdr(<uint32_t>size, <uint16_t>type, <uint16_t>flags, seq, port)
    memcpy(PyBytes_AS_STRING(result), &header, NLMSG_HDRLEN)
    memcpy(PyBytes_AS_STRING(result) + NLMSG_HDRLEN, PyBytes_AS_STRING(payload),
           PyBytes_GET_SIZE(payload))
    return result


cdef Py_ssize_t envelope_size(int id, int framing) noexcept:
    """Return the size of the headers before a request's body.

    `id` is the ID of a generic family, or -1.
    """
    if framing == CONNECTOR:
        return CONNECTOR_ENVELOPE
    return NLMSG_HDRLEN if id < 0 else GENERIC_ENVELOPE


cdef int write_request(uint8_t *at, Verb op, View message, int id, int flags, uint32_t seq,
                       int framing) except -1:
    """Write the headers and the body of a request. The body is copied only here."""
    cdef Py_ssize_t envelope = envelope_size(id, framing)
    cdef nlmsghdr header
    cdef genlmsghdr command
    cdef cn_msg wrapped
    header = nlmsghdr(<uint32_t>(envelope + message.length), <uint16_t>op.number,
                      <uint16_t>(op.flags | flags), seq, 0)
    if framing == CONNECTOR:
        header.nlmsg_type = NLMSG_DONE
        wrapped = cn_msg(<uint32_t>op.number, <uint32_t><int>op.family.version, seq, 0,
                         <uint16_t>message.length, 0)
        memcpy(at + NLMSG_HDRLEN, &wrapped, CN_HDRLEN)
    elif id >= 0:
        header.nlmsg_type = <uint16_t>id
        command = genlmsghdr(<uint8_t>op.number, <uint8_t><int>op.family.version, 0)
        memcpy(at + NLMSG_HDRLEN, &command, GENL_HDRLEN)
    memcpy(at, &header, NLMSG_HDRLEN)
    memcpy(at + envelope, body(message), message.length)
    return 0


def envelop(Request request not None, int id, int flags, unsigned int seq, str framing="netlink"):
    """Return a request as a whole message: its headers, then its body.

    `id` is the ID of the request's generic family, or -1. `flags` are added to the op's flags.
    """
    cdef Verb op = <Verb?>request.op
    cdef int kind = framing_of(framing)
    cdef bytes result = PyBytes_FromStringAndSize(
        NULL, envelope_size(id, kind) + request.message.length)
    write_request(<uint8_t *>PyBytes_AS_STRING(result), op, request.message, id, flags, seq, kind)
    return result


def pack(list requests not None, unsigned int seq, int flags, int last_flags, Py_ssize_t limit,
         dict ids=None, bytes asks=None):
    """Return requests as a list of buffers, as few as possible; send each with one system call.

    The requests are numbered from `seq`. `flags` are added to the flags of each op, except that the
    last request gets `last_flags`. A buffer holds at most `limit` bytes, or one longer message. For
    Generic Netlink, `ids` maps each op's family to its ID. `asks` must be given if there are
    transactions. It has one byte for each request, 0 if the request does not ask for an ACK. A
    transaction, including its brackets, gets one buffer of its own, of any length.
    """
    cdef Buffer b
    cdef Request request
    cdef View message
    cdef Verb op
    cdef int more
    cdef int id = -1
    cdef int bracket = 0
    cdef bint inside = False
    cdef Py_ssize_t size, position
    requests = list(requests)  # code of the caller, such as a __hash__, could change the list
    cdef Py_ssize_t last = len(requests) - 1
    if asks is not None and PyBytes_GET_SIZE(asks) != len(requests):
        raise ValueError(f"asks has {len(asks)} bytes for {len(requests)} requests: give one for "
                         "each")
    cdef list found = []
    b.data = NULL
    b.used = b.size = 0
    b.heap = True
    try:
        b.data = <uint8_t *>PyMem_Malloc(4096)
        if b.data == NULL:
            raise MemoryError
        b.size = 4096
        for position, item in enumerate(requests):
            request = <Request?>item  # a typed loop variable would accept None
            message = <View?>request.message
            op = <Verb?>request.op
            if ids is not None:
                id = ids[op.family]
            size = envelope_size(id, NETLINK) + message.length
            more = last_flags if position == last else flags
            if asks is not None:
                bracket = op.bracket
                more = last_flags if PyBytes_AS_STRING(asks)[position] else last_flags & ~NLM_F_ACK
            if b.used and (bracket > 0 or (b.used + size > limit and not inside)):
                found.append(PyBytes_FromStringAndSize(<const char *>b.data, b.used))
                b.used = 0
            reserve(&b, align4(size))
            write_request(b.data + b.used, op, message, id, more, <uint32_t>(seq + position),
                          NETLINK)
            b.used += size
            put_zeros(&b, align4(size) - size)
            if bracket > 0:
                inside = True
            elif bracket < 0:
                inside = False
                found.append(PyBytes_FromStringAndSize(<const char *>b.data, b.used))
                b.used = 0
        if b.used:
            found.append(PyBytes_FromStringAndSize(<const char *>b.data, b.used))
        return found
    finally:
        PyMem_Free(b.data)
