# Whole messages: the meaning of a type, typed iteration, and sorting datagrams into runs. _core.pyx
# includes this file.
#
# A family declares its framing, that is, how a datagram is divided into messages. Only this file
# implements framing. It must not know particular families.

# --- framing of datagrams -----------------------------------------------------------------------

cdef enum:
    NETLINK = 0    # struct nlmsghdr before each message; types below 16 are control messages
    TEXT = 1       # a datagram is one message without a header
    CONNECTOR = 2  # like NETLINK, plus a struct cn_msg; there are no control messages
    AUDIT = 3      # a datagram is one message; nlmsg_len of the kernel's records is too short

cdef dict FRAMINGS = {"netlink": NETLINK, "text": TEXT, "connector": CONNECTOR, "audit": AUDIT}


cdef int framing_of(str name) except -1:
    """Return the number of a framing."""
    if name not in FRAMINGS:
        raise ValueError(f"framing {name!r}: expected one of {', '.join(FRAMINGS)}")
    return FRAMINGS[name]


cdef struct Frame:
    # One message in a datagram.
    nlmsghdr header
    int type              # selects the Meaning; for a generic family, the ID of the family
    Py_ssize_t envelope   # bytes of headers before the body
    Py_ssize_t length     # bytes of the message, including the headers


cdef inline bint frame_ok(Cursor *c, Frame *frame, int framing) noexcept nogil:
    """Load the message at the cursor; false if it does not fit."""
    if framing == NETLINK:
        if not message_ok(c, &frame.header):
            return False
        frame.type = frame.header.nlmsg_type
        frame.envelope = NLMSG_HDRLEN
        frame.length = frame.header.nlmsg_len
        return True
    return other_frame_ok(c, frame, framing)


cdef bint other_frame_ok(Cursor *c, Frame *frame, int framing) noexcept nogil:
    cdef cn_msg wrapped
    if framing == TEXT:
        memset(&frame.header, 0, NLMSG_HDRLEN)
        frame.type = 0
        frame.envelope = 0
        frame.length = c.left
        return True
    if framing == AUDIT:
        if c.left < NLMSG_HDRLEN:
            return False
        memcpy(&frame.header, c.at, NLMSG_HDRLEN)
        frame.type = frame.header.nlmsg_type
        frame.envelope = NLMSG_HDRLEN
        frame.length = c.left
        return True
    if not message_ok(c, &frame.header) or frame.header.nlmsg_len < CONNECTOR_ENVELOPE:
        return False
    memcpy(&wrapped, c.at + NLMSG_HDRLEN, CN_HDRLEN)
    frame.type = <int>(wrapped.idx & 0x7FFFFFFF)
    frame.envelope = CONNECTOR_ENVELOPE
    frame.length = frame.header.nlmsg_len
    return CONNECTOR_ENVELOPE + <Py_ssize_t>wrapped.len <= frame.length


cdef object frame_fault(Cursor *c, Py_ssize_t offset, int framing):
    """Return the DecodeError for a message that frame_ok refused."""
    cdef nlmsghdr header
    if framing == CONNECTOR and message_ok(c, &header):
        return DecodeError(f"nlmsg_len {header.nlmsg_len} is too short for a struct cn_msg and the "
                           "data that its len announces", offset=offset)
    return message_fault(c, offset)


# --- meanings -----------------------------------------------------------------------------------

@cython.final
cdef class Meaning:
    """What one message type, or one command, means in one direction.

    `number`, `name` and `family` identify it in errors and in text. The class is set later: `give`
    sets a message class or a selector word, and `defer` names a module that does so.
    """
    cdef readonly int number
    cdef readonly str name
    cdef readonly str family
    cdef str module          # the module to import, which declares the class; or None
    cdef bint is_soft        # another class may replace the class
    cdef Table table
    cdef Field selector      # the word that chooses among classes, or None
    cdef Py_ssize_t offset   # position, size and byte order of the header member that it reads
    cdef Py_ssize_t size
    cdef bint is_big

    def __cinit__(self, int number, str name not None, str family not None):
        self.number = number
        self.name = name
        self.family = family

    def __repr__(self):
        return f"<Meaning {self.name} of {self.family}: {words(self)}>"

    def defer(self, str module not None):
        """Import this module, which declares the class, when the class is first needed."""
        self.module = module

    def give(self, choice, *, bint soft=False):
        """Set the class, or the selector word that chooses it by a member of the header.

        With `soft`, it applies only if nothing else is set. Raises ValueError if another class is
        already set.
        """
        if isinstance(choice, Field):
            self.select(choice)
            return
        cdef Table table = table_of(choice)
        if self.table is table:
            self.is_soft &= soft
            return
        if soft and (self.table is not None or self.selector is not None):
            return
        if (self.table is not None or self.selector is not None) and not self.is_soft:
            raise ValueError(
                f"family {self.family!r}: {self.name} means both {words(self)} and "
                f"{choice.__name__}; choose between them by a header member with selected(...)")
        self.table = table
        self.is_soft = soft

    cdef int select(self, Field word) except -1:
        cdef Field f
        if word is self.selector:
            return 0
        if self.table is not None and not self.is_soft or self.selector is not None:
            raise ValueError(f"family {self.family!r}: {self.name} means both {words(self)} and "
                             f"a choice by {word.selector!r}: declare only one of them")
        if word.number is not None or word.choices is None or word.climb or not word.choices:
            raise ValueError(f"{self.name}: expected selected(None, {word.selector!r}, choices)")
        place = None
        for cls in word.choices.values():
            if isinstance(cls, Field):
                raise ValueError(f"{self.name}: {cls.kind_name} is not a message class, and the "
                                 "choices for a whole message must be classes")
            f = table_of(cls).by_name.get(word.selector)
            if f is None or f.type >= 0 or f.kind.load is not load_integer:
                raise ValueError(f"{self.name}: {cls.__name__} has no integer header member "
                                 f"{word.selector!r}")
            if place is not None and place != (f.offset, f.size, f.kind.is_big):
                raise ValueError(f"{self.name}: {word.selector!r} must have the same position and "
                                 f"kind in all classes, but it differs in {cls.__name__}")
            place = f.offset, f.size, f.kind.is_big
        self.offset, self.size, self.is_big = place
        self.selector = word
        self.table = None
        return 0

    cdef Meaning united(self, Meaning other):
        """Combine what two families mean by one number."""
        if other is self or (self.table is not None and self.table is other.table):
            return self
        if (self.selector is None or other.selector is None
                or self.selector.selector != other.selector.selector
                or self.offset != other.offset
                or not set(self.selector.choices).isdisjoint(other.selector.choices)):
            raise ValueError(
                f"message type {self.number} means {words(self)} in family {self.family!r} and "
                f"{words(other)} in family {other.family!r}: use one connection, or one parse(), "
                "for each")
        cdef Meaning both = Meaning(self.number, self.name, f"{self.family}, {other.family}")
        both.select(Field("selected", selector=self.selector.selector,
                          choices=ChainMap(self.selector.choices, other.selector.choices)))
        return both

    cdef int load(self) except -1:
        """Import the module that declares the class."""
        import_module(self.module)  # other threads wait for the import too
        self.module = None
        return 0

    cdef Table choose(self, const uint8_t *p, Py_ssize_t n):
        """Return the table for a message whose body is at p; None if it has no declared class."""
        if self.selector is None:
            return self.table
        if n < 0 or self.offset + self.size > n:
            return None
        found = self.selector.choices.get(get_integer(p + self.offset, self.size, self.is_big))
        return table_of(found) if found is not None else None

    @property
    def message(self):
        """The message class, or the selector word that chooses it, or None."""
        if self.module is not None:
            self.load()
        return self.selector if self.selector is not None else (
            self.table.cls if self.table is not None else None)


cdef str words(Meaning meaning):
    """Return a meaning as text for an error message."""
    if meaning.selector is not None:
        names = ", ".join([cls.__name__ for cls in meaning.selector.choices.values()])
        return f"one of {names}"
    if meaning.table is not None:
        return meaning.table.cls.__name__
    return f"a class of {meaning.module}" if meaning.module is not None else "nothing"


@cython.final
cdef class Dispatch:
    """Finds the class of a message by type, by direction and, if declared, by a header member.

    The ID of a generic family leads to another Dispatch, which is for its commands. NLM_F_REQUEST
    distinguishes requests from messages that the kernel sends.
    """
    cdef dict received    # number -> Meaning, or Dispatch for a generic family
    cdef dict requests    # number -> Meaning
    cdef int kind         # the framing
    cdef readonly str framing

    def __cinit__(self, str framing="netlink"):
        self.kind = framing_of(framing)
        self.framing = framing
        self.received = {}
        self.requests = {}

    def meaning(self, int number, str name not None, str family not None, bint request):
        """Return the Meaning of a number; create an empty one if there is none."""
        cdef dict table = self.requests if request else self.received
        found = table.get(number)
        if found is None:
            found = table[number] = Meaning(number, name, family)
        return found

    def unite(self, Dispatch other not None):
        """Add the meanings of another family. Raises ValueError if two contradict each other."""
        for table, more in ((self.received, other.received), (self.requests, other.requests)):
            for number, meaning in more.items():
                known = table.get(number)
                table[number] = meaning if known is None else (<Meaning?>known).united(meaning)

    def nest(self, int id, Dispatch commands not None):
        """Add a generic family: `commands` applies to the messages with its ID."""
        self.received[id] = commands

    def drop(self, int id):
        """Remove the ID of a generic family."""
        self.received.pop(id, None)

    def find(self, int number, *, bint request=False):
        """Return the Meaning of a number, or the Dispatch of a generic family, or None."""
        return self.lookup(number, request)

    def table(self, *, bint request):
        """Return all numbers with their classes or selectors. Imports the deferred modules."""
        cdef dict found = {}
        for number, meaning in [*(self.requests if request else self.received).items()]:
            if isinstance(meaning, Meaning) and meaning.message is not None:
                found[number] = meaning.message
        return found

    cdef object lookup(self, int number, bint is_request):
        # load() imports a module, which may change the dicts: hold own references meanwhile.
        cdef object found = self.received.get(number)
        cdef Meaning asked
        if found is not None:
            if type(found) is not Meaning:
                return found
            if (<Meaning>found).module is not None:
                (<Meaning>found).load()
        if is_request or found is None:
            asked = self.requests.get(number)
            if asked is not None:
                if asked.module is not None:
                    asked.load()
                if asked.table is not None or asked.selector is not None:
                    return asked
        return found


# --- typed iteration ----------------------------------------------------------------------------

@cython.final
@cython.final
cdef class Origin:
    """Where an event came from.

    `group` is the number of the multicast group, 0 for a message to this socket alone. `nsid` is the
    ID of its network namespace in that of the socket, None for the namespace of the socket itself.
    """
    cdef readonly unsigned int group
    cdef readonly object nsid

    def __cinit__(self, unsigned int group, int nsid):
        self.group = group
        self.nsid = None if nsid < 0 else nsid

    def __repr__(self):
        return f"<Origin group={self.group} nsid={self.nsid}>"

    def __eq__(self, other):
        if type(other) is not Origin:
            return NotImplemented
        return (self.group, self.nsid) == ((<Origin>other).group, (<Origin>other).nsid)

    def __hash__(self):
        return hash((self.group, self.nsid))

    def __reduce__(self):
        return Origin, (self.group, -1 if self.nsid is None else self.nsid)


cdef class Messages:
    """An iterator over the messages in a part of a bytes object.

    `dispatch` finds the class of each message. A message of an unknown type or command is a
    RawMessage. After a DecodeError the iteration can be continued with the next message. It ends if
    the position of the next message is unknown.
    """
    cdef bytes data
    cdef readonly Dispatch dispatch
    cdef Cursor at
    cdef int type          # type of the previous message
    cdef bint is_request   # whether that one had NLM_F_REQUEST
    cdef int framing
    cdef Meaning meaning   # cached, because consecutive messages mostly have the same type
    cdef Table table       # the table for `meaning`, unless a header member chooses it
    cdef Dispatch commands # the commands, if the type is a generic family
    cdef readonly Origin origin  # of events, otherwise None

    def __cinit__(self, data, Dispatch dispatch not None, Py_ssize_t start=0, Py_ssize_t end=-1,
                  Origin origin=None):
        self.origin = origin
        self.data = data if type(data) is bytes else bytes(memoryview(data))
        if end == -1:
            end = PyBytes_GET_SIZE(self.data)
        if not 0 <= start <= end <= PyBytes_GET_SIZE(self.data):
            raise ValueError(f"the range {start} to {end} is outside of the data, which has "
                             f"{len(self.data)} bytes")
        self.dispatch = dispatch
        self.framing = dispatch.kind
        self.at.at = <const uint8_t *>PyBytes_AS_STRING(self.data) + start
        self.at.left = end - start
        self.type = -1

    def __iter__(self):
        return self

    def __length_hint__(self):
        """Return the number of messages that are left."""
        cdef Cursor c = self.at
        cdef Frame frame
        cdef Py_ssize_t count = 0
        while c.left > 0:
            count += 1
            if not frame_ok(&c, &frame, self.framing):
                break
            step(&c, frame.length)
        return count

    @property
    def left(self):
        """The number of bytes that are left."""
        return self.at.left

    def rest(self):
        """End the iteration and return the unread part as (data, start, end), for Gather.feed."""
        cdef Py_ssize_t start = self.at.at - <const uint8_t *>PyBytes_AS_STRING(self.data)
        cdef Py_ssize_t end = start + self.at.left
        self.at.at += self.at.left
        self.at.left = 0
        return self.data, start, end

    def __next__(self):
        cdef Frame frame
        cdef Py_ssize_t offset
        cdef bint is_request
        cdef Table table
        cdef Meaning meaning
        cdef View view
        if self.at.left <= 0:
            raise StopIteration
        offset = self.at.at - <const uint8_t *>PyBytes_AS_STRING(self.data)
        if not frame_ok(&self.at, &frame, self.framing):
            fault = frame_fault(&self.at, offset, self.framing)
            self.at.left = 0
            raise fault
        step(&self.at, frame.length)
        if frame.length > MAX_BODY:
            raise DecodeError(f"{frame.length} bytes exceed the limit of a message, {MAX_BODY} "
                              "bytes", offset=offset)
        is_request = frame.header.nlmsg_flags & NLM_F_REQUEST != 0
        if (frame.type != self.type or is_request != self.is_request
                or self.commands is not None):
            self.look_up(&frame, offset, is_request)
            self.type = frame.type
            self.is_request = is_request
        if self.commands is not None:
            frame.envelope = GENERIC_ENVELOPE
        table = self.table
        meaning = self.meaning
        if table is None and meaning is not None:
            table = meaning.choose(
                <const uint8_t *>PyBytes_AS_STRING(self.data) + offset + frame.envelope,
                frame.length - frame.envelope)
        if table is None:
            return raw_message(PyMemoryView_FromObject(self.data), &frame.header, offset,
                               min(frame.envelope, NLMSG_HDRLEN), frame.length)
        view = new_view(table, self.data, offset + frame.envelope, frame.length - frame.envelope,
                        <int>frame.envelope, None)
        view.meaning = meaning
        view.origin = self.origin
        return view

    cdef int look_up(self, Frame *frame, Py_ssize_t offset, bint is_request) except -1:
        """Find the meaning of a message by its type or, in a generic family, by its command."""
        cdef uint8_t command
        cdef Dispatch commands = None
        found = self.dispatch.lookup(frame.type, is_request)
        if type(found) is Dispatch:
            commands = found
            if frame.length < GENERIC_ENVELOPE:
                raise command_fault(&frame.header, offset)
            memcpy(&command, PyBytes_AS_STRING(self.data) + offset + NLMSG_HDRLEN, 1)
            found = commands.lookup(command, is_request)
        # A lookup may import a module. Another thread may use the iterator meanwhile.
        self.commands = commands
        self.meaning = <Meaning?>found if found is not None else None
        self.table = self.meaning.table if self.meaning is not None else None
        return 0


# --- runs ---------------------------------------------------------------------------------------

cdef extern from "_core.h":
    struct index_entry:  # one datagram in the index of a receive
        uint32_t offset
        uint32_t length
        uint32_t port
        uint32_t group
        int32_t nsid
        uint32_t flags
    const char *C_INDEX_FORMAT "INDEX_FORMAT"

INDEX_FORMAT = C_INDEX_FORMAT.decode()

cdef enum:
    MSG_TRUNC = 0x20  # linux/socket.h


@cython.final
cdef class Run:
    """Consecutive messages of one receive that belong to the same request or the same group.

    `type` is 0 for ordinary messages. A control message (NLMSG_ERROR, NLMSG_DONE and so on) is a
    run of its own, and `type` is its type. Plain ACKs of consecutive requests form one run:
    `is_ack` is true, `seq` is the first sequence number and `count` the number of ACKs. A datagram
    from another process (`port` is not 0) is one run with `count` 0, and its messages are not read.
    `is_own` marks messages whose nlmsg_pid is our port, that is, messages caused by one of our
    requests. `flags` holds every nlmsg_flags bit that occurs. `fault` is the DecodeError if the
    framing of a datagram, or of the rest of one, is wrong. Such a run has no messages.
    """
    def __repr__(self):
        return (f"Run(type={self.type}, seq={self.seq}, count={self.count}, flags={self.flags:#x}, "
                f"port={self.port}, group={self.group}, {self.start}:{self.end})")


cdef Run new_run(bytes data, Py_ssize_t start, const index_entry *entry):
    cdef Run run = Run.__new__(Run)
    run.data = data
    run.start = run.end = start
    run.port = entry.port
    run.group = entry.group
    run.nsid = entry.nsid
    return run


cdef Run fault_run(bytes data, Py_ssize_t start, const index_entry *entry, object fault):
    cdef Run run = new_run(data, start, entry)
    run.fault = fault
    return run


cdef bint is_plain_ack(Cursor *c, const nlmsghdr *header) noexcept:
    """Return whether a message is a plain ACK: an NLMSG_ERROR with error 0 and no attributes."""
    cdef int32_t error
    if (header.nlmsg_type != NLMSG_ERROR or header.nlmsg_flags & NLM_F_ACK_TLVS
            or header.nlmsg_len < NLMSG_HDRLEN + sizeof(error)
            or c.left < <Py_ssize_t>(NLMSG_HDRLEN + sizeof(error))):
        return False
    memcpy(&error, c.at + NLMSG_HDRLEN, sizeof(error))
    return error == 0


def runs(bytes data not None, bytes index not None, unsigned int own_port=0,
         str framing="netlink"):
    """Sort the datagrams of one receive into runs and return them as a list.

    Messages whose nlmsg_pid is `own_port` form runs with `is_own`, unless `own_port` is 0. If such
    messages arrived through a group, a new sequence number starts a new run. A datagram with wrong
    framing, or a truncated one, yields a run with a `fault`. The datagrams after it are read.
    """
    cdef index_entry entry
    cdef Cursor c
    cdef Frame frame
    cdef Py_ssize_t i, offset
    cdef bint ack, own, is_control, is_cut
    cdef Run run = None
    cdef int kind = framing_of(framing)
    cdef bint has_control = kind == NETLINK or kind == AUDIT
    cdef bint is_whole = kind == TEXT or kind == AUDIT  # a datagram is one message
    cdef const uint8_t *base = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef list found = []
    if PyBytes_GET_SIZE(index) % sizeof(index_entry):
        raise ValueError(f"the index has {len(index)} bytes, which is not a multiple of a row's "
                         f"{sizeof(index_entry)} bytes")
    for i in range(PyBytes_GET_SIZE(index) // <Py_ssize_t>sizeof(index_entry)):
        memcpy(&entry, PyBytes_AS_STRING(index) + i * sizeof(index_entry), sizeof(index_entry))
        if <Py_ssize_t>entry.offset + <Py_ssize_t>entry.length > PyBytes_GET_SIZE(data):
            raise ValueError(f"datagram {i} of the index is outside of the data, which has "
                             f"{len(data)} bytes")
        if entry.port:
            run = new_run(data, entry.offset, &entry)
            run.end = run.start + entry.length
            found.append(run)
            run = None
            continue
        c.at = base + entry.offset
        c.left = entry.length
        is_cut = entry.flags & MSG_TRUNC != 0
        while c.left > 0:
            offset = c.at - base
            if not frame_ok(&c, &frame, kind):
                if not is_cut:
                    found.append(fault_run(data, offset, &entry, frame_fault(&c, offset, kind)))
                run = None
                break
            is_control = has_control and frame.header.nlmsg_type < NLMSG_MIN_TYPE
            ack = is_control and is_plain_ack(&c, &frame.header)
            own = own_port and frame.header.nlmsg_pid == own_port
            if (run is not None and run.is_ack and ack
                    and frame.header.nlmsg_seq == run.seq + run.count and not is_whole):
                pass
            elif (run is None or is_control or run.type or is_whole
                    or run.group != entry.group or run.nsid != entry.nsid
                    or (run.seq != frame.header.nlmsg_seq and (not entry.group or own))
                    or run.is_own != own
                    or align4(run.end) != offset):
                run = new_run(data, offset, &entry)
                run.type = frame.header.nlmsg_type if is_control else 0
                run.seq = frame.header.nlmsg_seq
                run.is_ack = ack
                run.is_own = own
                found.append(run)
            run.end = offset + frame.length
            run.flags |= frame.header.nlmsg_flags
            run.count += 1
            step(&c, frame.length)
        if is_cut:
            found.append(fault_run(data, entry.offset, &entry, DecodeError(
                "the kernel truncated a datagram, because the receive buffer is too small",
                offset=entry.offset)))
            run = None
    return found


