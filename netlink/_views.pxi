# Views: the bytes of a message body, read through the fields of its class. _core.pyx includes this
# file.
#
# A view finds an attribute in the bytes and loads its value. It also finds the path of a place in
# the bytes, for errors. Nothing here writes. A separate file, because it is all of the reading.

cdef enum:
    SCANS = 3  # number of reads that scan; later reads use an index of the attributes
    INDEXED = 64  # bytes of attributes from which on there is an index: it may be larger than a view
    SEARCHED = 4096  # attributes of one level that the path of an error is searched among
    MAX_BODY = 0x7FFFFFFF  # bytes of a message


@cython.no_gc
cdef class View:
    """The bytes of a message body, read through the fields of the class.

    It refers to one `bytes` object and to its parent view only, so it cannot be part of a cycle.
    """
    cdef bytes data            # the whole buffer
    cdef Py_ssize_t offset     # position of the body in `data`
    cdef uint32_t length       # bytes of the body
    cdef uint8_t envelope      # bytes of message headers directly before the body; 0: none
    cdef uint8_t scans
    cdef uint8_t depth         # number of views around this one
    cdef uint8_t height        # levels of messages inside, plus 1; 0 before they are counted
    cdef uint8_t blind         # 1: used to look around in bytes: unchecked, and errors have no path
    cdef uint32_t *index       # its length, then slot -> payload offset in the body, 0: absent
    cdef View parent
    cdef Meaning meaning       # what the type of a whole message means in its family, or None
    cdef Origin origin         # of an event, otherwise None

    def __dealloc__(self):
        PyMem_Free(self.index)

    def __init__(self, **fields):
        """Encode the arguments, which are fields by name. None leaves the attribute out."""
        cdef list values = PyDict_Values(fields)
        if self.data is not None:
            raise TypeError(f"a {type(self).__name__} is immutable: use replace() to get a changed "
                            "copy")
        encode(table_of(type(self)), self, tuple(fields), PySequence_Fast_ITEMS(values))

    def __setattr__(self, name, value):
        raise (TypeError if name == "__class__" else AttributeError)(
            f"{type(self).__name__}.{name} cannot be set, because a message is immutable: use "
            "replace() to get a changed copy")

    def __delattr__(self, name):
        raise AttributeError(f"{type(self).__name__}.{name} cannot be deleted: use replace() to "
                             "get a changed copy")

    @classmethod
    def from_bytes(cls, data, /):
        """Return a message from its body: any buffer object, without struct nlmsghdr.

        Raises DecodeError if the framing of the attributes is wrong.
        """
        cdef bytes body_bytes = flat_bytes(data)
        return new_view(table_of(cls), body_bytes, 0, PyBytes_GET_SIZE(body_bytes), 0, None)

    def __bytes__(self):
        return PyBytes_FromStringAndSize(<const char *>body(self), self.length)

    def __eq__(self, other):
        cdef View that
        if type(self) is not type(other):
            return NotImplemented
        that = other
        return (self.length == that.length
                and memcmp(body(self), body(that), self.length) == 0)

    def __hash__(self):
        return hash((type(self), bytes(self)))

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        envelope = self.data[self.offset - self.envelope:self.offset] if self.envelope else b""
        name = self.meaning.name if self.meaning is not None else None
        return _restore, (type(self), bytes(self), envelope, name)

    def detach(self):
        """Return the same message with its own copy of the bytes.

        A received message keeps its whole receive buffer in memory; a detached message does not.
        """
        cdef View view = _restore(*self.__reduce__()[1])
        view.meaning = self.meaning
        view.origin = self.origin
        return view

    @property
    def nlmsg_type(self):
        """The type of a received message; None for a message that was not received."""
        return envelope_of(self).nlmsg_type if self.envelope else None

    @property
    def nlmsg_flags(self):
        """The flags (NLM_F_*) of a received message, otherwise None."""
        return envelope_of(self).nlmsg_flags if self.envelope else None

    @property
    def nlmsg_seq(self):
        """The sequence number of a received message, otherwise None."""
        return envelope_of(self).nlmsg_seq if self.envelope else None

    @property
    def nlmsg_pid(self):
        """The port ID of the socket whose request a received message answers, otherwise None."""
        return envelope_of(self).nlmsg_pid if self.envelope else None

    @property
    def genl_cmd(self):
        """The command of a received message of a generic family, otherwise None."""
        return command_of(self).cmd if self.envelope == GENERIC_ENVELOPE else None

    @property
    def genl_version(self):
        """The version of a received message of a generic family, otherwise None."""
        return command_of(self).version if self.envelope == GENERIC_ENVELOPE else None

    @property
    def cn_seq(self):
        """The `seq` in the struct cn_msg of a received connector message, otherwise None."""
        return connector_of(self).seq if self.envelope == CONNECTOR_ENVELOPE else None

    @property
    def cn_ack(self):
        """The `ack` in the struct cn_msg of a received connector message, otherwise None."""
        return connector_of(self).ack if self.envelope == CONNECTOR_ENVELOPE else None

    @property
    def origin(self):
        """Where an event came from: its multicast group and its network namespace. Otherwise None."""
        return self.origin

    @property
    def nlmsg_name(self):
        """The kernel's name for the type of a received message, or for its generic command.

        Examples are "RTM_NEWLINK" and "CTRL_CMD_NEWFAMILY". A type without a known name reads as
        its number, as text. None for a message that was not received.
        """
        if self.meaning is not None:
            return self.meaning.name
        if not self.envelope:
            return None
        key = self.genl_cmd
        return str(envelope_of(self).nlmsg_type if key is None else key)

    def _changed(self, **fields):
        """Return a message of the arguments only, encoded in the context of this one.

        replace() uses it.
        """
        cdef list values = PyDict_Values(fields)
        cdef Table table = table_of(type(self))
        cdef View view = <View>netlink_view(table.cls, ())
        encode(table, view, tuple(fields), PySequence_Fast_ITEMS(values), self)
        return view

    def _check_families(self):
        """Raise EncodeError if an address does not belong to the message's address family."""
        try:
            check_families(table_of(type(self)), self, None)
        except EncodeError as error:
            raise deeper(error, type(self).__name__)

    def _items(self):
        """Return (Field, value) of each header member, then of each declared attribute present."""
        cdef Table table = table_of(type(self))
        cdef Field f
        cdef const uint8_t *p
        cdef Py_ssize_t n
        cdef list result = []
        for f in table.by_name.values():
            if f.type < 0:
                result.append((f, f.value(self, p, n) if find(self, f, &p, &n) else f.missing))
        seen = set()
        for number, offset, length in self._walk():
            f = table.field(number & NLA_TYPE_MASK)
            if f is not None and f.slot not in seen and f.name in table.names:
                seen.add(f.slot)
                value = f.value(self, body(self) + <Py_ssize_t>offset, length)
                if value is not False:  # a byte_flag of 0 means the same as an absent one
                    result.append((f, value))
        return result

    def _walk(self):
        """Return (nla_type with flags, payload offset in the body, length) of each attribute."""
        cdef Table table = table_of(type(self))
        cdef Cursor c
        cdef nlattr header
        cdef list result = []
        if not table.has_attributes:
            return result
        c = attributes(self, table.start)
        while attribute_ok(&c, &header):
            result.append((header.nla_type, c.at + NLA_HDRLEN - body(self),
                           header.nla_len - NLA_HDRLEN))
            step(&c, header.nla_len)
        return result

    def _below(self, unsigned int type, Py_ssize_t offset, Py_ssize_t length):
        """Return the messages inside an attribute from _walk, each with its place: "" or "[1]"."""
        cdef Field f = table_of(<object>self.__class__).field(type & NLA_TYPE_MASK)
        if offset < NLA_HDRLEN or length < 0 or offset > self.length or length > self.length - offset:
            raise ValueError(f"no attribute is at {offset} to {offset + length}")
        if f is None:
            return []
        return views_below(f, self, body(self) + offset, length)

    def _path(self, Py_ssize_t offset):
        """Return the path to an offset in the body, such as "Link.linkinfo.data.id"."""
        if not 0 <= offset <= self.length:
            return type(self).__name__
        return path_at(self, body(self) + offset)


netlink_guard(View)


cdef object make_view(object cls, PyObject **args, size_t count, PyObject *names):
    """Construct a message; a message class calls this, with or without __init__."""
    cdef View view
    cdef Table table = table_of(cls)
    if PyVectorcall_NARGS(count):
        raise TypeError(f"{cls.__name__}() expects its fields as keyword arguments")
    view = <View>netlink_view(table.cls, ())
    encode(table, view, <tuple>names if names != NULL else (), args)
    return view


cdef bytes flat_bytes(object data):
    """Return the bytes of any buffer object as an object that is exactly of type bytes."""
    cdef bytes result = data if type(data) is bytes else bytes(memoryview(data))
    if PyBytes_GET_SIZE(result) > MAX_BODY:
        raise ValueError(f"{PyBytes_GET_SIZE(result)} bytes exceed the limit of a message, {MAX_BODY}")
    return result


cdef inline const uint8_t *data_start(View view) noexcept:
    return netlink_bytes(view.data)


cdef inline const uint8_t *body(View view) noexcept:
    return netlink_bytes(view.data) + view.offset


cdef inline Cursor attributes(View view, Py_ssize_t start) noexcept:
    """Return a cursor over the attributes of a view."""
    cdef Cursor c
    if start > view.length:
        start = view.length
    c.at = body(view) + start
    c.left = view.length - start
    return c


cdef nlmsghdr envelope_of(View view) noexcept:
    cdef nlmsghdr header
    memcpy(&header, body(view) - view.envelope, NLMSG_HDRLEN)
    return header


cdef genlmsghdr command_of(View view) noexcept:
    cdef genlmsghdr command
    memcpy(&command, body(view) - GENL_HDRLEN, GENL_HDRLEN)
    return command


cdef cn_msg connector_of(View view) noexcept:
    cdef cn_msg message
    memcpy(&message, body(view) - CN_HDRLEN, CN_HDRLEN)
    return message


cdef View new_view(Table table, bytes data, Py_ssize_t offset, Py_ssize_t length,
                   int envelope, View parent):
    """Return a view of a part of `data`. The caller must have checked that the part exists."""
    cdef View view = <View>netlink_view(table.cls, ())
    view.data = data
    view.offset = offset
    view.length = <uint32_t>length
    view.envelope = envelope
    if parent is not None:
        view.parent = parent
        view.depth = parent.depth + 1
        view.blind = parent.blind
        # A blind view may be one level deeper, which shows that the limit is exceeded.
        if view.depth > MAX_NESTING + view.blind:
            raise DecodeError(TOO_DEEP, path=place_of(parent, NULL), offset=offset)
    if table.has_attributes and not view.blind:
        check_attributes(table, view)
    return view


cdef int check_attributes(Table table, View view) except -1:
    """Raise DecodeError if the header is too short or the framing of the attributes is wrong."""
    cdef nlattr header
    cdef Cursor c = attributes(view, table.start)
    if view.length < table.header and not is_bare_request(table, view):
        raise DecodeError(f"the fixed header has {table.header} bytes, but the message has only "
                          f"{view.length}", path=place_of(view, NULL), offset=view.offset)
    while c.left > 0:
        if not attribute_ok(&c, &header):
            raise attribute_fault(&c, place_of(view, NULL), c.at - data_start(view))
        step(&c, header.nla_len)
    return 0


cdef bint is_bare_request(Table table, View view) noexcept:
    """Return whether a body that ends inside its header is a dump request.

    Old programs send dump requests with a shorter header.
    """
    cdef unsigned int flags
    if table.least >= table.header or not view.envelope or view.length < table.least:
        return False
    flags = envelope_of(view).nlmsg_flags
    return flags & NLM_F_REQUEST != 0 and flags & NLM_F_DUMP != 0


cdef bint find(View view, Field f, const uint8_t **p, Py_ssize_t *n) except -1:
    """Find the payload of a field in a view; false if it is absent."""
    cdef Cursor c
    cdef nlattr header
    cdef uint32_t at
    if f.type < 0:
        # A kernel older than the header file sends a shorter struct. Missing members read as None.
        if f.offset + f.size > view.length:
            return False
        p[0] = body(view) + f.offset
        n[0] = f.size if f.size else view.length - f.offset
        if f.is_union and is_ipv4(body(view)[0]):
            n[0] = 4
        return True
    if view.index != NULL:
        # The class of a view, or the table of its class, may not be that of the index any more.
        at = view.index[f.slot + 1] if <uint32_t>f.slot < view.index[0] else 0
        if not at:
            return False
        p[0] = body(view) + at
        memcpy(&header, p[0] - NLA_HDRLEN, NLA_HDRLEN)
        n[0] = header.nla_len - NLA_HDRLEN
        return True
    if view.scans < SCANS:
        view.scans += 1
    elif view.length >= f.start + INDEXED:
        make_index(view)
        return find(view, f, p, n)
    c = attributes(view, f.start)
    while attribute_ok(&c, &header):
        if (header.nla_type & NLA_TYPE_MASK) == f.type:
            p[0] = c.at + NLA_HDRLEN
            n[0] = header.nla_len - NLA_HDRLEN
            return True
        step(&c, header.nla_len)
    return False


cdef int make_index(View view) except -1:
    """Store the position of each declared attribute: the first of its number, as when scanning."""
    cdef Table table = table_of(type(view))
    cdef Cursor c = attributes(view, table.start)
    cdef nlattr header
    cdef int number
    cdef uint32_t *index = <uint32_t *>PyMem_Calloc(len(table.fields) + 1, sizeof(uint32_t))
    if index == NULL:
        raise MemoryError
    index[0] = <uint32_t>len(table.fields)
    while attribute_ok(&c, &header):
        number = header.nla_type & NLA_TYPE_MASK
        if number <= table.top and table.slots[number] and not index[table.slots[number]]:
            index[table.slots[number]] = <uint32_t>(c.at + NLA_HDRLEN - body(view))
        step(&c, header.nla_len)
    view.index = index
    return 0


@cython.internal
@cython.final
cdef class Place:
    """A place inside a view. Calling it returns the attribute path: a DecodeError does that late."""
    cdef View view
    cdef Py_ssize_t offset  # from the start of the data, -1 for the view itself

    def __cinit__(self, View view not None, Py_ssize_t offset):
        if not -1 <= offset <= PyBytes_GET_SIZE(view.data):
            raise ValueError(f"{offset} is not an offset in {PyBytes_GET_SIZE(view.data)} bytes")
        self.view = view
        self.offset = offset

    def __call__(self):
        return path_at(self.view, NULL if self.offset < 0 else data_start(self.view) + self.offset)


cdef Place place_of(View view, const uint8_t *where):
    """Return the place `where` in the data of a view. NULL means the view itself."""
    return Place(view, -1 if where == NULL else where - data_start(view))


cdef str path_at(View view, const uint8_t *where):
    """Return the attribute path from the outermost message to a place inside a view.

    Only errors need a path, so this walks again from the top and normal reads cost nothing. It uses
    blind views, because the attributes on the way may be invalid. NULL means the view itself.
    """
    cdef View root = view
    cdef View outer = view.parent if where == NULL else view
    cdef View again
    cdef const uint8_t *target = body(view) if where == NULL else where
    if view.blind:
        return None
    while root.parent is not None:
        root = root.parent
    again = blind_view(root)
    # An empty payload at the end of a nest begins where the next attribute does. Its header is
    # inside of the nest.
    if outer is not None and outer.length and target == body(outer) + outer.length:
        target -= 1
    names = [] if where == NULL and root is view else trail(
        again, view if where == NULL else None, target)
    return ".".join([type(root).__name__, *names]).replace(".[", "[")


cdef View blind_view(View view):
    """Return an outermost view of the same bytes that checks nothing."""
    cdef View again = <View>netlink_view(type(view), ())
    again.data, again.offset, again.length = view.data, view.offset, view.length
    again.blind = 1
    return again


cdef list trail(View view, View stop, const uint8_t *target):
    """Return the names from a view down to `target`, or to the view `stop` that starts there."""
    cdef list names = []
    while view is not None:  # not recursive, because the sender determines the depth
        view = trail_step(view, stop, target, names)
    return names


cdef View trail_step(View view, View stop, const uint8_t *target, list names):
    """Append the name of the field at `target`; return the view inside it, if it goes deeper."""
    cdef Table table = table_of(type(view))
    cdef Cursor c = attributes(view, table.start)
    cdef nlattr header
    cdef Field f
    cdef Py_ssize_t length
    cdef int searched = 0
    if target < c.at or not table.has_attributes:
        for f in table.fields:
            length = f.size if f.size else view.length - f.offset
            if f.type < 0 and f.offset <= target - body(view) < f.offset + max(length, 1):
                names.append(f.name)
                return trail_below(f, view, body(view) + f.offset, length, stop, target, names)
        return None
    while searched < SEARCHED and attribute_ok(&c, &header):
        # The payload of an empty attribute begins where the attribute ends.
        if target < c.at + max(align4(header.nla_len), NLA_HDRLEN + 1):
            f = table.field(header.nla_type & NLA_TYPE_MASK)
            if f is None:
                names.append(f"#{header.nla_type & NLA_TYPE_MASK}")
                return None
            names.append(f.name)
            return trail_below(f, view, c.at + NLA_HDRLEN, header.nla_len - NLA_HDRLEN, stop,
                               target, names)
        step(&c, header.nla_len)
        searched += 1
    return None


cdef View trail_below(Field f, View owner, const uint8_t *p, Py_ssize_t n,
                      View stop, const uint8_t *target, list names):
    """Append the places of the elements at `target`; return the view that covers it, or None."""
    cdef Cursor part
    cdef View child
    cdef Py_ssize_t place = 0
    if p + n > body(owner) + owner.length:  # a member of a shorter struct
        return None
    if f.kind.repeats:
        f = f.element
    while f.kind.part != NULL:
        if not f.kind.part(f, p, n, target, &place, &part):
            return None
        names.append(f"[{place}]")
        if target < part.at:  # the header of the element
            return None
        p, n = part.at, part.left
        if f.element is None:
            break
        f = f.element
    if f.kind.part == NULL and f.target is None and f.choices is None:
        return None
    try:
        value = f.kind.load(f, owner, p, n) if f.kind.part == NULL else (
            new_view(f.resolve(), owner.data, p - data_start(owner), n, 0, owner))
    except DecodeError:
        return None
    if not isinstance(value, View):
        return None
    child = value
    if not body(child) <= target < body(child) + max(child.length, 1):
        return None
    if stop is not None and body(stop) == body(child) and type(stop) is type(child):
        return None
    return child


cdef list views_below(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    """Return the views inside the payload at p, each with its place: "" or "[1]"."""
    cdef list found = []
    if f.kind.repeats:
        f = f.element
    if f.target is None and f.element is None and f.choices is None:
        return found
    try:
        collect_views(f.kind.load(f, owner, p, n), "", found)
    except DecodeError:
        pass
    return found


cdef int collect_views(object value, str place, list found) except -1:
    """Append the views in a value, which is at most as deep as its field has elements."""
    if isinstance(value, View):
        found.append((place, value))
    elif isinstance(value, dict):
        for key, item in value.items():
            collect_views(item, f"{place}[{int(key)}]", found)
    elif type(value) is tuple:
        for position, item in enumerate(value):
            if isinstance(item, (View, dict, tuple)):
                collect_views(item, f"{place}[{position}]", found)
    return 0


cdef int height_of(View view) except -1:
    """Return how many levels of messages a message contains; MAX_NESTING + 1 if there are more."""
    cdef list pending
    cdef View one
    cdef Table table
    cdef Cursor c
    cdef nlattr header
    cdef Field f
    cdef const uint8_t *p
    cdef Py_ssize_t n
    cdef int deepest = 0
    if view.height:
        return view.height - 1
    pending = [("", blind_view(view))]
    while pending and deepest <= MAX_NESTING:
        one = pending.pop()[1]
        deepest = max(deepest, one.depth)
        table = table_of(type(one))
        for f in table.fields:
            if f.type < 0 and (f.target is not None or f.choices is not None) and (
                    find(one, f, &p, &n)):
                pending += views_below(f, one, p, n)
        if table.has_attributes:
            c = attributes(one, table.start)
            while attribute_ok(&c, &header):
                f = table.field(header.nla_type & NLA_TYPE_MASK)
                if f is not None:
                    pending += views_below(f, one, c.at + NLA_HDRLEN, header.nla_len - NLA_HDRLEN)
                step(&c, header.nla_len)
    view.height = <uint8_t>(deepest + 1)
    return deepest


def _restore(cls, body_bytes, envelope, name=None):
    """Create a message again from its parts, for unpickling and detach()."""
    cdef View view
    cdef bytes content = flat_bytes(body_bytes)
    cdef bytes headers = flat_bytes(envelope)
    if PyBytes_GET_SIZE(headers) not in (0, NLMSG_HDRLEN, GENERIC_ENVELOPE, CONNECTOR_ENVELOPE):
        raise ValueError(f"{len(headers)} bytes are not the headers of a netlink message")
    view = new_view(table_of(cls), headers + content, PyBytes_GET_SIZE(headers),
                    PyBytes_GET_SIZE(content), <int>PyBytes_GET_SIZE(headers), None)
    if name is not None:
        view.meaning = Meaning(0, name, "")
    return view
