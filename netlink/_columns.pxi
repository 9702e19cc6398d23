# Columns: the values of fields of many messages, gathered from datagrams. Part of _core.pyx.
#
# Paths are compiled to nodes and steps. A node is one header or list of attributes on a path, and a
# step is one wanted field in a node. Each message is then walked once for all columns. This file
# must not create a view for a message. It exists because columns need no Python object for a
# message: the code works on plain memory and releases the GIL for a whole receive.

cdef struct Step:
    Py_ssize_t offset   # of a header member
    Py_ssize_t size     # of a header member
    bint or_labels
    bint is_union       # of a header member: AF_INET uses only four of its bytes
    int sink            # index of the column that stores the value, or -1
    int child           # index of the node inside the value, or -1
    Py_ssize_t visited  # the row in which the node was visited last, or -1

cdef struct Pick:
    int type            # a message type, or a command
    Py_ssize_t offset   # of the header member that a selector reads
    Py_ssize_t size     # of that member; 0 without a selector
    bint is_big
    uint64_t value      # that the member must have

cdef struct Node:
    Py_ssize_t header   # minimal bytes before the attributes
    Py_ssize_t start    # offset of the attributes, -1 if the node is a struct
    int top             # highest wanted attribute number, -1 if none is wanted
    int *by_type        # attribute number -> index of the step + 1
    int members         # number of wanted header members
    int *member         # the steps of the wanted header members


@cython.final
cdef class Gather:
    """Gathers columns: call `feed` with runs of messages, then `finish`.

    `table` is the table of the message class. `dispatch` says which messages have that class, and
    all others are skipped. With `is_generic`, `dispatch` maps the commands of a generic family.
    `paths` name fields, such as "oif" or "stats64.rx_bytes". Raises LookupError if a path names no
    field, or a field that has no column: a nest, an array or a repeated attribute.
    """
    cdef Table table
    cdef tuple paths
    cdef list fields           # the Field of each path
    cdef int column_count
    cdef list bodies           # the Table of each node, used while compiling
    cdef Node *nodes
    cdef Step *steps
    cdef Sink *sinks
    cdef int node_count
    cdef int step_count
    cdef Pick *picks           # the types or commands that have the class
    cdef readonly int pick_count  # types or commands that have the class
    cdef int framing
    cdef bint is_generic
    cdef bint is_busy          # `feed` runs without the GIL
    cdef bint is_broken        # `feed` failed, so the columns do not have the same length

    def __cinit__(self, Table table not None, Dispatch dispatch not None, *paths,
                  bint is_generic=False):
        cdef Py_ssize_t most = 1
        for path in paths:
            if not isinstance(path, str):
                raise TypeError(f"columns() expects the names of fields, got {path!r}")
            most += path.count(".") + 1
        self.table = table
        self.paths = paths
        self.framing = dispatch.kind
        self.is_generic = is_generic
        self.fields = []
        self.bodies = []
        self.nodes = <Node *>PyMem_Calloc(most, sizeof(Node))
        self.steps = <Step *>PyMem_Calloc(most, sizeof(Step))
        self.sinks = <Sink *>PyMem_Calloc(len(paths) + 1, sizeof(Sink))
        if self.nodes == NULL or self.steps == NULL or self.sinks == NULL:
            raise MemoryError
        if not paths or len(set(paths)) < len(paths):
            raise ValueError(f"columns() expects at least one path, each only once, got {paths}")
        self.add_picks(dispatch)
        self.add_node(table)
        for i, path in enumerate(paths):
            self.add_path(i, path)
        self.column_count = <int>len(paths)

    def __dealloc__(self):
        cdef int i
        for i in range(self.node_count):
            PyMem_Free(self.nodes[i].by_type)
            PyMem_Free(self.nodes[i].member)
        for i in range(self.column_count):
            free(self.sinks[i].values.data)
            free(self.sinks[i].valid.data)
            free(self.sinks[i].ends.data)
        PyMem_Free(self.nodes)
        PyMem_Free(self.steps)
        PyMem_Free(self.sinks)
        PyMem_Free(self.picks)

    cdef int add_picks(self, Dispatch dispatch) except -1:
        """Find the types or commands, and the values of a selector, that have the class."""
        cdef Meaning meaning
        cdef list found = []
        for number, item in [*dispatch.received.items()]:
            if type(item) is not Meaning:
                continue
            meaning = item
            if meaning.table is self.table:
                found.append((number, meaning, 0))
            elif meaning.selector is not None:
                found += [(number, meaning, value)
                          for value, cls in [*meaning.selector.choices.items()]
                          if table_of(cls) is self.table]
        self.picks = <Pick *>PyMem_Calloc(len(found) + 1, sizeof(Pick))
        if self.picks == NULL:
            raise MemoryError
        for number, item, value in found:
            meaning = item
            self.picks[self.pick_count] = Pick(
                number, meaning.offset, meaning.size if meaning.selector is not None else 0,
                meaning.is_big, <uint64_t>value)
            self.pick_count += 1
        return 0

    cdef bint is_wanted(self, int type, const uint8_t *p, Py_ssize_t n) noexcept nogil:
        """Return whether a message has the class. Its body is at p."""
        cdef Pick *pick
        cdef int i
        for i in range(self.pick_count):
            pick = &self.picks[i]
            if pick.type == type and (pick.size == 0 or (
                    pick.offset + pick.size <= n
                    and get_integer(p + pick.offset, pick.size, pick.is_big) == pick.value)):
                return True
        return False

    cdef int add_node(self, Table table) except -1:
        cdef Node *node = &self.nodes[self.node_count]
        self.node_count += 1
        node.header = table.header
        node.start = table.start if table.has_attributes else -1
        node.top = table.top
        node.by_type = <int *>PyMem_Calloc(table.top + 2, sizeof(int))
        node.member = <int *>PyMem_Calloc(len(table.fields) + 1, sizeof(int))
        if node.by_type == NULL or node.member == NULL:
            raise MemoryError
        self.bodies.append(table)
        return self.node_count - 1

    cdef int add_path(self, int sink, str path) except -1:
        cdef Field f = None
        cdef Table table
        cdef int node = 0
        cdef int step = 0
        cdef list names = path.split(".")
        if len(names) > MAX_NESTING + 1:
            raise LookupError(f"{quoted(path)} is too deep: the limit is {MAX_NESTING} levels")
        for depth, name in enumerate(names):
            table = self.bodies[node]
            if name not in table.by_name:
                raise LookupError(no_field(table, name))
            f = table.by_name[name]
            step = self.add_step(node, f)
            if depth < len(names) - 1:
                if f.kind.load is not load_view:
                    raise LookupError(f"{path!r}: {table.cls.__name__}.{name} holds no fields; "
                                      f"end the path at {name!r}")
                if self.steps[step].child < 0:
                    self.steps[step].child = self.add_node(f.resolve())
                node = self.steps[step].child
        if f.kind.append is NULL:
            hint = ("name a field inside it" if f.kind.load is load_view
                    else "read it from the messages")
            raise LookupError(f"{path!r} is of kind {f.kind_name}, which has no column; {hint}")
        self.steps[step].sink = sink
        self.sinks[sink].append = f.kind.append
        self.sinks[sink].is_big = f.kind.is_big
        self.sinks[sink].width = f.kind.width
        self.fields.append(f)
        return 0

    cdef int add_step(self, int number, Field f) except -1:
        """Return the index of the step of a field in a node. Adds the step if it is new."""
        cdef Node *node = &self.nodes[number]
        cdef int i
        cdef Step *step
        if f.type >= 0 and node.by_type[f.type]:
            return node.by_type[f.type] - 1
        for i in range(node.members):
            if f.type < 0 and self.steps[node.member[i]].offset == f.offset:
                return node.member[i]
        step = &self.steps[self.step_count]
        step.sink = step.child = -1
        step.visited = -1
        step.or_labels = f.or_labels
        step.is_union = f.is_union
        step.offset, step.size = f.offset, f.size
        if f.type >= 0:
            node.by_type[f.type] = self.step_count + 1
        else:
            node.member[node.members] = self.step_count
            node.members += 1
        self.step_count += 1
        return self.step_count - 1

    def feed(self, bytes data not None, Py_ssize_t start, Py_ssize_t end):
        """Add the messages between two offsets in a bytes object to the columns.

        Raises DecodeError with path and offset if a message is not framed correctly or a value has
        a wrong length. The columns are incomplete then: finish() raises ValueError. Raises
        RuntimeError while another thread feeds.
        """
        cdef const uint8_t *base = <const uint8_t *>PyBytes_AS_STRING(data)
        cdef const uint8_t *where = NULL
        cdef Frame frame
        cdef int status
        cdef Cursor c
        cdef View view
        if not 0 <= start <= end <= PyBytes_GET_SIZE(data):
            raise ValueError(f"start {start} and end {end} are not within the {len(data)} bytes "
                             "of data")
        c.at = base + start
        c.left = end - start
        self.check()
        self.is_busy = True
        with nogil:
            status = self.gather(&c, &where)
        self.is_busy = False
        self.is_broken = status != 0
        if status == NO_MEMORY:
            raise MemoryError
        if status == FAULT:  # find out what is wrong, now that the GIL is held
            if not frame_ok(&c, &frame, self.framing):
                raise frame_fault(&c, c.at - base, self.framing)
            if self.is_generic:
                if frame.length < GENERIC_ENVELOPE:
                    raise command_fault(&frame.header, c.at - base)
                frame.envelope = GENERIC_ENVELOPE
            view = new_view(self.table, data, c.at + frame.envelope - base,
                            frame.length - frame.envelope, 0, None)
            raise DecodeError("the value has a wrong length, or is not framed correctly",
                              path=place_of(view, where), offset=where - base)

    cdef int gather(self, Cursor *c, const uint8_t **where) noexcept nogil:
        """Add the messages under a cursor. On a fault the cursor stays at the faulty message."""
        cdef Frame frame
        cdef const uint8_t *p
        cdef int i, status
        cdef Py_ssize_t row, length
        while c.left > 0:
            if not frame_ok(c, &frame, self.framing):
                return FAULT
            if self.is_generic:
                if frame.length < GENERIC_ENVELOPE:
                    return FAULT
                frame.type = (c.at + NLMSG_HDRLEN)[0]
                frame.envelope = GENERIC_ENVELOPE
            p = c.at + frame.envelope
            length = frame.length - frame.envelope
            if self.is_wanted(frame.type, p, length):
                row = self.sinks[0].rows
                status = self.visit(&self.nodes[0], p, length, row,
                                    length > 0 and p[0] == AF_MPLS, where)
                if status:
                    return status
                for i in range(self.column_count):
                    if self.sinks[i].rows == row and end_row(&self.sinks[i], False):
                        return NO_MEMORY
            step(c, frame.length)
        return 0

    cdef int visit(self, Node *node, const uint8_t *p, Py_ssize_t n, Py_ssize_t row, bint is_mpls,
                   const uint8_t **where) noexcept nogil:
        """Pass the wanted fields of one header and its attributes to their sinks."""
        cdef Cursor c
        cdef nlattr header
        cdef Step *wanted
        cdef int i, type, status
        for i in range(node.members):
            wanted = &self.steps[node.member[i]]
            if wanted.offset + wanted.size <= n:
                status = self.deliver(wanted, p + wanted.offset,
                                      4 if wanted.is_union and is_ipv4(p[0]) else
                                      wanted.size if wanted.size else n - wanted.offset,
                                      row, is_mpls, where)
                if status:
                    return status
        if node.start < 0:
            return 0
        where[0] = p
        if n < node.header:
            return FAULT
        c.at = p + min(node.start, n)
        c.left = n - min(node.start, n)
        while c.left > 0:
            if not attribute_ok(&c, &header):
                where[0] = c.at
                return FAULT
            type = header.nla_type & NLA_TYPE_MASK
            if type <= node.top and node.by_type[type]:
                status = self.deliver(&self.steps[node.by_type[type] - 1], c.at + NLA_HDRLEN,
                                      header.nla_len - NLA_HDRLEN, row, is_mpls, where)
                if status:
                    return status
            step(&c, header.nla_len)
        return 0

    cdef int deliver(self, Step *wanted, const uint8_t *p, Py_ssize_t n, Py_ssize_t row,
                     bint is_mpls, const uint8_t **where) noexcept nogil:
        """Append a payload to its column, and visit the node inside it.

        If an attribute occurs twice, its first payload counts, also if that is a nest.
        """
        cdef Sink *sink
        cdef int status
        if wanted.sink >= 0:
            sink = &self.sinks[wanted.sink]
            # A column of addresses cannot contain MPLS labels: such a row stays empty.
            if sink.rows == row and not (wanted.or_labels and is_mpls):
                status = sink.append(sink, p, n)
                if status:
                    where[0] = p
                    return status
                if end_row(sink, True):
                    return NO_MEMORY
        if wanted.child >= 0 and wanted.visited != row:
            wanted.visited = row
            return self.visit(&self.nodes[wanted.child], p, n, row, is_mpls, where)
        return 0

    cdef int check(self) except -1:
        """Raise an exception if the columns are being changed, or if they are broken."""
        if self.is_busy:
            raise RuntimeError("another thread is feeding these columns: wait for it")
        if self.is_broken:
            raise ValueError("these columns are incomplete, because feed() failed: start again")
        return 0

    def finish(self):
        """Return the columns by path. The next `feed` starts new columns.

        Raises RuntimeError while another thread feeds, and ValueError after a feed() that failed.
        """
        cdef Column column
        cdef Sink *sink
        cdef dict result = {}
        self.check()
        for i, path in enumerate(self.paths):
            sink = &self.sinks[i]
            column = Column.__new__(Column)
            column.field = self.fields[i]
            column.length = sink.rows
            column.null_count = sink.nulls
            column.width = sink.width
            column.values = take(&sink.values)
            column.validity = take(&sink.valid)
            column.ends = take(&sink.ends)
            sink.rows = sink.nulls = 0
            result[path] = column
        for i in range(self.step_count):
            self.steps[i].visited = -1
        return result


cdef bytes take(Heap *heap):
    """Return the bytes of a heap and empty it."""
    cdef bytes result = PyBytes_FromStringAndSize(<const char *>heap.data, heap.used)
    heap.used = 0
    return result


@cython.final
cdef class Column:
    """One field of many messages: a sequence that converts each value when it is read.

    `values` contains the values without gaps. Integers are in the byte order of the machine, flags
    are one byte each, and other values are the payloads as they were received. For those, `ends`
    (int64) has the offset at which each value ends. `validity` has one bit for each row, the lowest
    bit first. It is set if the message had the field, and `null_count` is the number of rows
    without. These are the layouts of Arrow, except for the leading 0 of Arrow's offsets.
    """
    cdef readonly Field field
    cdef Py_ssize_t length
    cdef Py_ssize_t width
    cdef readonly Py_ssize_t null_count
    cdef readonly bytes values
    cdef readonly bytes validity
    cdef readonly bytes ends

    def __init__(self):
        raise TypeError("a Column is made by columns() alone")

    def __len__(self):
        return self.length

    def __getitem__(self, Py_ssize_t row):
        cdef int64_t start = 0
        cdef int64_t end
        cdef View owner
        cdef const uint8_t *p
        if row < 0:
            row += self.length
        if not 0 <= row < self.length:
            raise IndexError(f"row {row} is out of range: the column has {self.length} rows")
        if not (<const uint8_t *>PyBytes_AS_STRING(self.validity))[row // 8] >> (row % 8) & 1:
            return self.field.missing
        p = <const uint8_t *>PyBytes_AS_STRING(self.values)
        if self.field.kind.load is load_integer:
            return integer(self.field, get_integer(p + row * self.width, self.width,
                                                   NETLINK_BIG_ENDIAN), self.width)
        if self.width:
            return p[row] != 0  # a flag
        if row:
            memcpy(&start, PyBytes_AS_STRING(self.ends) + 8 * (row - 1), 8)
        memcpy(&end, PyBytes_AS_STRING(self.ends) + 8 * row, 8)
        owner = View.__new__(View)
        owner.data = self.values
        owner.blind = 1
        return self.field.value(owner, p + start, end - start)

    def __iter__(self):
        return map(self.__getitem__, range(self.length))

    def __repr__(self):
        if self.field is None:  # of __new__, without columns()
            return "<Column without a field>"
        return f"<Column of {self.length} {self.field.name}, {self.null_count} without>"
