# cython: embedsignature=True, embedsignature.format=clinic, wraparound=False, cdivision=True
# cython: auto_pickle=False, autotestdict=False, binding=False
"""The wire format: framing, kinds, views, encoding, and sorting datagrams into runs.

This module converts bytes to values and values to bytes. It must not know sockets, particular
families or policy. netlink.schema compiles each message class into a Table of Field objects, which
is all that this module knows about it. It exists because per-message work must run as C.

Rules for this file:
- All pointer arithmetic over messages and attributes goes through `Cursor`. An `_ok` function loads
  a header and refuses one that does not fit. `step` moves to the next header.
- Use memcpy, never a cast. Buffers may have any alignment, and netlink aligns 64-bit values to
  4 bytes only.
- Each kind has one block in _kinds.pxi. No other code switches over types.
- A View is `(bytes, offset, length)`. It is immutable and not tracked by the cyclic collector. The
  framing of its attributes is checked before it is created.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.buffer cimport (
    PyBUF_SIMPLE,
    PyBuffer_Release,
    PyObject_CheckBuffer,
    PyObject_GetBuffer,
)
from cpython.dict cimport PyDict_GetItem, PyDict_Values
from cpython.long cimport (
    PyLong_AsLongLong,
    PyLong_AsLongLongAndOverflow,
    PyLong_AsUnsignedLongLong,
)
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.memoryview cimport PyMemoryView_FromObject
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from cpython.unicode cimport (
    PyUnicode_DecodeUTF8,
    PyUnicode_FromObject,
)
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcmp, memcpy, memset

import ipaddress
from collections import ChainMap
from enum import Flag
from importlib import import_module
from types import MappingProxyType

from netlink.constants import forget_values, value_of
from netlink.errors import DecodeError, EncodeError

cdef extern from "Python.h":
    PyObject **PySequence_Fast_ITEMS(object sequence)
    Py_ssize_t PyVectorcall_NARGS(size_t count)

cdef extern from *:
    """
    #include <stdint.h>
    /* The depth to which messages may be nested. The kernel checks policies 10 levels deep
       (MAX_POLICY_RECURSION_DEPTH in lib/nlattr.c). A level of construction takes 800 to 1,600 bytes
       of the C stack, and a thread may have 64 KiB in all. */
    #define NETLINK_MAX_DEPTH 32
    /* Return a new address, without its __init__. */
    static inline PyObject *netlink_new(PyObject *cls, PyObject *no_args) {
        return ((PyTypeObject *)cls)->tp_new((PyTypeObject *)cls, no_args, NULL);
    }
    /* Return a new instance of a class that has a Table, without its __new__ and __init__. */
    static newfunc netlink_view_new;
    static inline PyObject *netlink_view(PyObject *cls, PyObject *no_args) {
        return netlink_view_new((PyTypeObject *)cls, no_args, NULL);
    }
    static PyObject *netlink_guarded_new(PyTypeObject *cls, PyObject *args, PyObject *kwargs) {
        if (!PyType_IS_GC(cls))
            return netlink_view_new(cls, args, kwargs);
        PyErr_Format(PyExc_TypeError, "%.200s is not a message class: derive it from Message",
                     cls->tp_name);
        return NULL;
    }
    static inline void netlink_guard(PyObject *view) {
        netlink_view_new = ((PyTypeObject *)view)->tp_new;
        ((PyTypeObject *)view)->tp_new = netlink_guarded_new;
    }
    /* Python adds the header of the cyclic collector to instances of every class that is defined
       in Python. Message instances hold one bytes object and a parent, so they do not need it.
       The class has no instances before this is called: netlink_guarded_new() refuses them. */
    static inline void netlink_untrack(PyObject *cls) {
        ((PyTypeObject *)cls)->tp_flags &= ~Py_TPFLAGS_HAVE_GC;
        ((PyTypeObject *)cls)->tp_free = PyObject_Free;
    }
    /* The bytes of a view. Before it has any this is None, whose bytes nobody reads: the length
       is 0. PyBytes_AS_STRING() would not accept that in a debug build. */
    static inline const uint8_t *netlink_bytes(PyObject *data) {
        return (const uint8_t *)((PyBytesObject *)data)->ob_sval;
    }
    /* isinstance() without the hooks of the class: what the object really is. */
    static inline int netlink_is(PyObject *object, PyObject *cls) {
        PyObject *bases = Py_TYPE(object)->tp_mro;
        if (Py_TYPE(object) == (PyTypeObject *)cls)
            return 1;
        for (Py_ssize_t i = 1; bases != NULL && i < PyTuple_GET_SIZE(bases); i++)
            if (PyTuple_GET_ITEM(bases, i) == cls)
                return 1;
        return 0;
    }
    static inline int netlink_is_subclass(PyObject *cls, PyObject *base) {
        return PyType_Check(cls) && PyType_IsSubtype((PyTypeObject *)cls, (PyTypeObject *)base);
    }
    /* Call instances of a type by vectorcall, without building a tuple and a dict. `offset` is the
       position of the function pointer in an instance. In Python 3.11 subclasses that are defined
       in Python do not inherit vectorcall and use tp_call instead. */
    static inline void netlink_vectorcall(PyObject *type, Py_ssize_t offset) {
        ((PyTypeObject *)type)->tp_vectorcall_offset = offset;
        ((PyTypeObject *)type)->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
        PyType_Modified((PyTypeObject *)type);
    }
    /* Construct instances of a class by vectorcall, unless it overrides __init__ or __new__. */
    static inline void netlink_constructor(PyObject *cls, PyObject *base, void *function) {
        if (((PyTypeObject *)cls)->tp_init == ((PyTypeObject *)base)->tp_init
                && ((PyTypeObject *)cls)->tp_new == ((PyTypeObject *)base)->tp_new)
            ((PyTypeObject *)cls)->tp_vectorcall = (vectorcallfunc)function;
    }
    static inline int netlink_set(PyObject *member, PyObject *obj, PyObject *value) {
        return Py_TYPE(member)->tp_descr_set(member, obj, value);
    }
    /* Return an uninitialized ASCII str of known length; NULL with MemoryError set on failure. */
    static inline PyObject *netlink_ascii(Py_ssize_t length, char **text) {
        PyObject *result = PyUnicode_New(length, 127);
        *text = result ? (char *)PyUnicode_1BYTE_DATA(result) : NULL;
        return result;
    }
    /* Return the UTF-8 bytes of a str; NULL without an exception if it has a lone surrogate. */
    static inline const char *netlink_utf8(PyObject *text, Py_ssize_t *length) {
        const char *result = PyUnicode_AsUTF8AndSize(text, length);
        if (!result)
            PyErr_Clear();
        return result;
    }
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    #define NETLINK_BIG_ENDIAN 1
    #else
    #define NETLINK_BIG_ENDIAN 0
    #endif
    """
    const int MAX_NESTING "NETLINK_MAX_DEPTH"
    object netlink_new(object cls, tuple no_args)
    object netlink_view(object cls, tuple no_args)
    void netlink_guard(object view)
    const uint8_t *netlink_bytes(object data) noexcept
    void netlink_untrack(object cls)
    bint netlink_is(object instance, object cls)
    bint netlink_is_subclass(object cls, object base)
    void netlink_vectorcall(object type, Py_ssize_t offset)
    void netlink_constructor(object cls, object base, void *function)
    int netlink_set(object member, object obj, object value) except -1
    object netlink_ascii(Py_ssize_t length, char **text)
    const char *netlink_utf8(object text, Py_ssize_t *length)
    const bint NETLINK_BIG_ENDIAN


# --- framing ------------------------------------------------------------------------------------

cdef struct nlmsghdr:  # linux/netlink.h
    uint32_t nlmsg_len
    uint16_t nlmsg_type
    uint16_t nlmsg_flags
    uint32_t nlmsg_seq
    uint32_t nlmsg_pid

cdef struct genlmsghdr:  # linux/genetlink.h
    uint8_t cmd
    uint8_t version
    uint16_t reserved

cdef struct cn_msg:  # linux/connector.h, with its struct cb_id
    uint32_t idx
    uint32_t val
    uint32_t seq
    uint32_t ack
    uint16_t len
    uint16_t flags

cdef struct nlattr:  # linux/netlink.h
    uint16_t nla_len
    uint16_t nla_type

cdef enum:
    NLMSG_HDRLEN = 16
    NLA_HDRLEN = 4
    GENL_HDRLEN = 4
    CN_HDRLEN = 20
    GENERIC_ENVELOPE = 20    # NLMSG_HDRLEN + GENL_HDRLEN
    CONNECTOR_ENVELOPE = 36  # NLMSG_HDRLEN + CN_HDRLEN
    NLMSG_ERROR = 2
    NLMSG_DONE = 3
    NLMSG_MIN_TYPE = 0x10  # lower types are control messages
    NLM_F_REQUEST = 0x01
    NLM_F_ACK = 0x04
    NLM_F_DUMP = 0x300
    NLM_F_ACK_TLVS = 0x200
    NLA_TYPE_MASK = 0x3FFF
    NLA_F_NESTED = 0x8000
    NLA_F_NET_BYTEORDER = 0x4000
    NLA_MAX_LEN = 0xFFFF

cdef struct Cursor:
    const uint8_t *at
    Py_ssize_t left


cdef inline Py_ssize_t align4(Py_ssize_t length) noexcept nogil:
    """Round up to 4 bytes: both NLMSG_ALIGN and NLA_ALIGN."""
    return (length + 3) & ~3


cdef inline bint message_ok(Cursor *c, nlmsghdr *header) noexcept nogil:
    """Load the message header at the cursor; false if the header or the message does not fit."""
    if c.left < NLMSG_HDRLEN:
        return False
    memcpy(header, c.at, NLMSG_HDRLEN)
    return NLMSG_HDRLEN <= header.nlmsg_len <= <size_t>c.left


cdef inline bint attribute_ok(Cursor *c, nlattr *header) noexcept nogil:
    """Load the attribute header at the cursor; false if it or the attribute does not fit."""
    if c.left < NLA_HDRLEN:
        return False
    memcpy(header, c.at, NLA_HDRLEN)
    return NLA_HDRLEN <= header.nla_len <= c.left


cdef inline void step(Cursor *c, Py_ssize_t length) noexcept nogil:
    """Move past `length` bytes and their padding; padding may be missing at the end of the data."""
    length = align4(length)
    if length > c.left:
        length = c.left
    c.at += length
    c.left -= length


# --- schema-less iteration ----------------------------------------------------------------------

@cython.internal
@cython.final
cdef class _Flat:
    """A memoryview of single bytes over any buffer object, and its address."""
    cdef object view
    cdef Py_buffer raw
    cdef bint held

    def __cinit__(self, data):
        view = PyMemoryView_FromObject(data)
        if view.ndim != 1 or view.itemsize != 1 or view.format != "B":
            view = view.cast("B")
        PyObject_GetBuffer(view, &self.raw, PyBUF_SIMPLE)
        self.held = True
        self.view = view

    def __dealloc__(self):
        if self.held:
            PyBuffer_Release(&self.raw)


@cython.final
cdef class RawMessage:
    """One message without a schema: the members of struct nlmsghdr and the payload.

    `payload` is a memoryview that keeps the buffer alive. `offset` is the position of the header.
    """
    cdef readonly unsigned int type
    cdef readonly unsigned int flags
    cdef readonly unsigned int seq
    cdef readonly unsigned int pid
    cdef readonly Py_ssize_t offset
    cdef readonly object payload

    def __repr__(self):
        return (f"RawMessage(type={self.type}, flags={self.flags:#x}, seq={self.seq}, "
                f"pid={self.pid}, payload={bytes(self.payload)!r})")


@cython.final
cdef class RawAttribute:
    """One attribute without a schema (struct nlattr, linux/netlink.h).

    `type` excludes the flag bits, which `flags` holds (NLA_F_NESTED 0x8000, NLA_F_NET_BYTEORDER
    0x4000). `payload` is a memoryview. `offset` is the position of the header.
    """
    cdef readonly unsigned int type
    cdef readonly unsigned int flags
    cdef readonly Py_ssize_t offset
    cdef readonly object payload

    def __repr__(self):
        return (f"RawAttribute(type={self.type}, flags={self.flags:#x}, "
                f"payload={bytes(self.payload)!r})")


cdef RawMessage raw_message(object view, const nlmsghdr *header, Py_ssize_t offset,
                            Py_ssize_t envelope, Py_ssize_t length):
    cdef RawMessage message = RawMessage.__new__(RawMessage)
    message.type = header.nlmsg_type
    message.flags = header.nlmsg_flags
    message.seq = header.nlmsg_seq
    message.pid = header.nlmsg_pid
    message.offset = offset
    message.payload = view[offset + envelope:offset + length]
    return message


@cython.internal
@cython.final
cdef class _RawMessages:
    """The iterator that iter_messages returns."""
    cdef _Flat flat
    cdef Cursor at

    def __cinit__(self, data):
        self.flat = _Flat(data)
        self.at.at = <const uint8_t *>self.flat.raw.buf
        self.at.left = self.flat.raw.len

    def __iter__(self):
        return self

    def __next__(self):
        cdef nlmsghdr header
        if self.at.left <= 0:
            raise StopIteration
        cdef Py_ssize_t offset = self.at.at - <const uint8_t *>self.flat.raw.buf
        if not message_ok(&self.at, &header):
            fault = message_fault(&self.at, offset)
            self.at.left = 0
            raise fault
        step(&self.at, header.nlmsg_len)
        return raw_message(self.flat.view, &header, offset, NLMSG_HDRLEN, header.nlmsg_len)


@cython.internal
@cython.final
cdef class _RawAttributes:
    """The iterator that iter_attributes returns."""
    cdef _Flat flat
    cdef Cursor at

    def __cinit__(self, data):
        self.flat = _Flat(data)
        self.at.at = <const uint8_t *>self.flat.raw.buf
        self.at.left = self.flat.raw.len

    def __iter__(self):
        return self

    def __next__(self):
        cdef nlattr header
        if self.at.left <= 0:
            raise StopIteration
        cdef Py_ssize_t offset = self.at.at - <const uint8_t *>self.flat.raw.buf
        if not attribute_ok(&self.at, &header):
            fault = attribute_fault(&self.at, None, offset)
            self.at.left = 0
            raise fault
        step(&self.at, header.nla_len)
        cdef RawAttribute result = RawAttribute.__new__(RawAttribute)
        result.type = header.nla_type & NLA_TYPE_MASK
        result.flags = header.nla_type & ~NLA_TYPE_MASK
        result.offset = offset
        result.payload = self.flat.view[offset + NLA_HDRLEN:offset + header.nla_len]
        return result


def iter_messages(data, /):
    """Iterate over the messages of a datagram as RawMessage objects, without a schema.

    `data` is any buffer object; payloads are memoryviews into it. Raises DecodeError with the
    offset of the first message that does not fit, after yielding all messages before it.
    """
    return _RawMessages(data)


def iter_attributes(payload, /):
    """Iterate over a list of attributes as RawAttribute objects, without a schema.

    `payload` is any buffer object that starts at the first attribute. Raises DecodeError with
    the offset of the first attribute that does not fit; the iteration ends there.
    """
    return _RawAttributes(payload)


cdef object message_fault(Cursor *c, Py_ssize_t offset):
    """Return the DecodeError for a message that message_ok refused."""
    cdef nlmsghdr header
    if c.left < NLMSG_HDRLEN:
        return DecodeError(
            f"a message header has {NLMSG_HDRLEN} bytes, but only {c.left} are left", offset=offset)
    memcpy(&header, c.at, NLMSG_HDRLEN)
    return DecodeError(f"nlmsg_len {header.nlmsg_len} does not fit: it must be at least "
                       f"{NLMSG_HDRLEN} and at most {c.left}, the bytes left", offset=offset)


cdef object command_fault(const nlmsghdr *header, Py_ssize_t offset):
    """Return the DecodeError for a message of a generic family without a struct genlmsghdr."""
    return DecodeError(f"nlmsg_len {header.nlmsg_len} is too short for a struct genlmsghdr: it "
                       f"must be at least {GENERIC_ENVELOPE}", offset=offset)


cdef object attribute_fault(Cursor *c, object path, Py_ssize_t offset):
    """Return the DecodeError for an attribute that attribute_ok refused."""
    cdef nlattr header
    if c.left < NLA_HDRLEN:
        return DecodeError(f"an attribute header has {NLA_HDRLEN} bytes, but only {c.left} are "
                           "left", path=path, offset=offset)
    memcpy(&header, c.at, NLA_HDRLEN)
    return DecodeError(f"nla_len {header.nla_len} of attribute {header.nla_type & NLA_TYPE_MASK} "
                       f"does not fit: it must be at least {NLA_HDRLEN} and at most {c.left}, the "
                       "bytes left", path=path, offset=offset)


include "_kinds.pxi"


# --- fields and tables --------------------------------------------------------------------------

@cython.final
cdef class Field:
    """One declared value of a message class: a compiled row, and the descriptor that reads it.

    With a `number` it is the attribute of that number. Without one it is a member of the fixed
    header. Use the words of netlink.schema to create fields; do not call this class directly.
    """
    cdef readonly str name
    cdef readonly object number       # attribute type, or None for a header member
    cdef readonly Py_ssize_t offset   # position of a header member in the body
    cdef readonly Py_ssize_t size     # bytes of a header member; maximum of an attribute, or 0
    cdef readonly Py_ssize_t align    # alignment of a header member
    cdef readonly Py_ssize_t first    # type of an array's first element
    cdef object owner                 # the class that declares the field; None until its Table exists
    cdef readonly object enum
    cdef readonly object choices
    cdef readonly str selector
    cdef readonly int climb           # number of "^" in the selector: parents to go up
    cdef tuple way                    # the field names in the selector
    cdef readonly object missing      # the value that is read if the attribute is absent
    cdef readonly Field element
    cdef readonly str counts          # the field whose elements this integer counts, or None
    cdef int counts_climb             # how many parents up that field stands
    cdef Py_ssize_t times             # what each element adds
    cdef uint64_t count_mask          # the bits that hold the count; 0: all
    cdef readonly object least        # bounds of what is written: of an integer, or of the bytes
    cdef readonly object most         #   of any other payload; None: no bound
    cdef const Kind *kind
    cdef int type                     # number as a C int; -1 for a header member
    cdef int slot                     # position in the table
    cdef Py_ssize_t start             # position of the first attribute in the owner's body
    cdef dict members                 # of `enum`: number -> member
    cdef int depth                    # number of elements inside each other
    cdef bint has_choices             # it is `selected`, or its elements are
    cdef bint is_flags
    cdef readonly bint by_family      # the address family determines the width of the address
    cdef bint or_labels               # the same, and an MPLS label stack in an AF_MPLS message
    cdef bint is_union                # a header member of 16 bytes, of which AF_INET uses four
    cdef bint mapped                  # in an AF_INET message, convert an IPv4-mapped address
    cdef bint without_nul             # write the string without its NUL
    cdef uint16_t type_flags          # flag bits to write in nla_type: NLA_F_NET_BYTEORDER or 0
    cdef bint is_text                 # `enum` is a KernelNumber: an int that has a text form
    cdef object target                # a class, or a callable that returns it
    cdef Table table

    def __cinit__(self, str kind not None, number=None, *, enum=None, target=None,
                  Field element=None, str selector=None, choices=None, Py_ssize_t size=0,
                  Py_ssize_t align=0, Py_ssize_t first=0, bint by_family=False,
                  bint mapped=False, bint nul=True, bint net_byteorder=False,
                  str counts=None, Py_ssize_t times=1, int bits=0, least=None, most=None):
        if kind not in KIND_NUMBERS:
            raise ValueError(f"{kind!r} is not a kind: use one of {', '.join(KIND_NUMBERS)}")
        if number is not None:
            if not isinstance(number, int):
                raise TypeError(f"the number of an attribute must be an int, got {number!r}")
            number = int(number)
            if not 0 <= number <= NLA_TYPE_MASK:
                raise ValueError(f"attribute number {shown(number)} is out of range: use 0 to "
                                 f"{NLA_TYPE_MASK}")
        if not 0 <= size <= NLA_MAX_LEN or not 0 <= first <= NLA_TYPE_MASK or not 0 <= bits < 64:
            raise ValueError(f"size {size}, first {first} or bits {bits} is out of range")
        if align not in (0, 1, 2, 4, 8):
            raise ValueError(f"align {align}: use 1, 2, 4 or 8")
        if not 1 <= times <= NLA_MAX_LEN:
            raise ValueError(f"times {times} is out of range")
        self.kind = &KINDS[KIND_NUMBERS[kind]]
        self.number = number
        self.type = -1 if number is None else number
        self.size = size or self.kind.size
        self.align = align or self.kind.size or 1
        self.first = first
        self.by_family = by_family
        self.mapped = mapped
        self.without_nul = not nul
        self.type_flags = NLA_F_NET_BYTEORDER if net_byteorder else 0
        self.least = least
        self.most = most
        self.enum = enum
        self.target = target
        self.element = element
        self.choices = choices
        if kind in ("struct", "nest", "records") and target is None:
            raise TypeError(f"a field of kind {kind} needs the message class that it holds")
        if kind == "selected" and (selector is None or choices is None):
            raise TypeError("a field of kind selected needs a selector and choices")
        self.has_choices = kind == "selected"
        if kind in ("array", "mapping", "repeated", "scalars"):
            self.take_element(kind, element)
        elif element is not None:
            raise TypeError(f"a field of kind {kind} has no elements")
        if enum is not None:
            if not (isinstance(enum, type) and issubclass(enum, int)):
                raise TypeError(f"enum must be a class of ints, such as a KernelEnum, got {enum!r}")
            self.is_text = hasattr(enum, "from_text")
            self.members = {} if self.is_text else enum._value2member_map_
            self.is_flags = issubclass(enum, Flag)
        if counts is not None:
            if self.kind.load is not load_integer:
                raise TypeError(f"a field of kind {kind} cannot count {counts!r}: use an integer")
            self.counts = counts.lstrip("^")
            self.counts_climb = len(counts) - len(self.counts)
            self.times = times
            self.count_mask = (<uint64_t>1 << bits) - 1 if bits else 0
        if selector is not None:
            self.selector = selector.lstrip("^")
            self.climb = len(selector) - len(self.selector)
            self.way = tuple(self.selector.split("."))
        if kind in ("flag", "byte_flag"):
            self.missing = False
        elif kind in ("array", "repeated", "records", "scalars"):
            self.missing = ()
        if kind == "struct" and number is None:
            self.align = align or self.resolve().align
            self.size = 0 if self.resolve().is_open else self.table.total

    cdef int take_element(self, str kind, Field element) except -1:
        """Check what this field repeats, so that loading and storing may rely on it."""
        if element is None:
            raise TypeError(f"a field of kind {kind} needs an element, such as u32()")
        if element.kind.repeats:
            raise TypeError(f"a field of kind {element.kind_name} cannot be an element")
        if element.depth >= MAX_NESTING:
            raise ValueError(f"elements are nested too deeply: the limit is {MAX_NESTING} levels")
        if kind == "scalars":
            if element.size <= 0:
                raise TypeError(f"a C array needs elements of fixed size, and not {element!r}")
            self.align = element.align
        if kind == "repeated":
            if element.owner is not None:
                raise TypeError(f"{element!r} is a field of {element.owner.__name__}: make another one")
            element.number = self.number
            element.type = self.type
        self.depth = element.depth + 1
        self.has_choices |= element.has_choices
        return 0

    def __set_name__(self, owner, str name):
        if self.name is None:
            self.name = name

    @property
    def kind_name(self):
        """The name of the kind, such as "u32"."""
        return self.kind.name.decode()

    @property
    def message(self):
        """The message class of a struct, nest or records field, otherwise None."""
        return self.resolve().cls if self.target is not None else None

    def __repr__(self):
        place = f"at {self.offset}" if self.number is None else f"{self.number}"
        return f"<Field {self.name}: {self.kind_name} {place}>"

    cdef Table resolve(self):
        """Return the table of the target class, which may be declared after this field."""
        if self.table is None:
            target = self.target
            if not netlink_is_subclass(target, View):
                target = target()
            self.table = table_of(target)
        return self.table

    def __get__(self, instance, owner):
        cdef const uint8_t *p
        cdef Py_ssize_t n
        if instance is None:
            return self
        if not netlink_is(instance, self.owner):
            raise stranger(self, instance)
        cdef View view = <View>instance
        if not find(view, self, &p, &n):
            return self.missing if self.choices is None else missing_choice(self, view)
        return self.value(view, p, n)

    cdef object value(self, View view, const uint8_t *p, Py_ssize_t n):
        """Check and load the payload at p, which lies inside the view."""
        cdef const char *reason = self.kind.check(self, p, n)
        if reason != NULL:
            raise DecodeError(
                f"{reason.decode()} for {self.kind_name}: {n} bytes instead of {self.kind.size}"
                if self.kind.size else f"{reason.decode()}: {n} bytes for {self.kind_name}",
                path=place_of(view, p), offset=p - data_start(view),
                value=PyBytes_FromStringAndSize(<const char *>p, n))
        return self.kind.load(self, view, p, n)


cdef object stranger(Field f, object instance):
    """Return the TypeError for a field that is read from an object of another class."""
    if f.owner is None:
        return TypeError(f"the field {f.name} does not belong to a message class")
    return TypeError(f"{f.owner.__name__}.{f.name} cannot be read from a "
                     f"{type(instance).__name__}")


cdef str shown(object value):
    """Return a value for the text of an error, in at most about 100 characters."""
    try:
        text = value[:101] if isinstance(value, str) else f"{value}"
    except Exception:  # an int of more than 4,300 digits, or what the caller's class raises
        return f"this {type(value).__name__}"
    return text if len(text) <= 100 else f"{text[:100]}..."


cdef str quoted(object value):
    """Return the repr() of a value in the same way."""
    try:
        text = repr(value[:101] if isinstance(value, (str, bytes)) else value)
    except Exception:
        return f"this {type(value).__name__}"
    return text if len(text) <= 100 else f"{text[:100]}..."


@cython.final
cdef class Table:
    """The compiled fields of one message class, by position, by name and by attribute number."""
    cdef readonly object cls
    cdef readonly tuple fields
    cdef readonly object names         # a view of the next one, because the core relies on it
    cdef dict by_name
    cdef readonly dict numbered        # attribute number -> name
    cdef readonly Py_ssize_t header    # bytes of the fixed header, without trailing padding
    cdef readonly Py_ssize_t total     # sizeof() the C struct
    cdef readonly Py_ssize_t align
    cdef readonly bint has_attributes
    cdef readonly bint is_open         # the last member extends to the end of the body
    cdef Py_ssize_t least              # minimum bytes of the header in a dump request
    cdef tuple by_family               # fields that may hold by_family addresses; None: not known
    cdef tuple counted                 # fields that count the elements of another field
    cdef int top                   # highest attribute number, -1 without attributes
    cdef uint16_t *slots           # attribute number -> slot + 1, 0: unknown
    cdef Py_ssize_t start          # position of the first attribute

    def __cinit__(self, message, Table base, list own not None, Table bare=None):
        """Lay out `own` fields in declaration order, after the fields of the base class.

        `bare` is the table of the shorter header that a dump request may have instead.
        """
        cdef Field f
        cdef Py_ssize_t offset = base.total if base is not None else 0
        cdef list fields = list(base.fields) if base is not None else []
        cls = message
        if not netlink_is_subclass(cls, View) or cls is View:
            raise TypeError(f"a Table is for a message class, and not for {quoted(cls)}")
        if "__table__" in cls.__dict__ or base is not None and not netlink_is_subclass(cls, base.cls):
            raise TypeError(f"{cls.__name__} has a table, or does not inherit from the class of the "
                            "base table")
        if cls.__basicsize__ != View.__basicsize__ or cls.__dictoffset__ or cls.__weakrefoffset__:
            raise TypeError(f"{cls.__name__}: a message class must not add instance attributes: "
                            "remove its __slots__, and give its other bases `__slots__ = ()`")
        own = list(own)
        check_own(cls, own)
        netlink_untrack(cls)
        netlink_constructor(cls, View, <void *>make_view)
        self.cls = cls
        self.align = base.align if base is not None else 1
        self.has_attributes = base is not None and base.has_attributes
        self.top = base.top if base is not None else -1
        tail = None
        for f in own:
            if base is not None and f.name in base.by_name:
                f.slot = replaced_slot(cls, base.by_name[f.name], f)
                fields[f.slot] = f
                continue
            if f.type < 0:
                if self.has_attributes:
                    raise TypeError(f"{cls.__name__}.{f.name}: declare header members before "
                                    "attributes")
                if f.missing is False:
                    raise TypeError(f"{cls.__name__}.{f.name}: a flag cannot be a header member; "
                                    "give the number of the attribute")
                if tail is not None:
                    raise TypeError(f"{cls.__name__}.{tail}: only the last member can be "
                                    "open-ended: give a size")
                if not f.size:
                    tail = f.name
                offset = (offset + f.align - 1) // f.align * f.align
                f.offset = offset
                offset += f.size if f.size or f.table is None else f.table.total
                self.align = max(self.align, f.align)
                if offset > NLA_MAX_LEN:
                    raise ValueError(f"{cls.__name__}: a header of {offset} bytes is too large")
            else:
                self.has_attributes = True
                self.top = max(self.top, f.type)
            f.slot = len(fields)
            fields.append(f)
        self.is_open = tail is not None
        self.header = offset
        self.least = bare.header if bare is not None else offset
        if bare is None and base is not None and base.least < base.header:
            self.least = base.least
        self.total = (offset + self.align - 1) // self.align * self.align
        self.start = align4(self.total)
        if len(fields) >= 0xFFFF:
            raise ValueError(f"{cls.__name__} has too many fields: the limit is {0xFFFE}")
        self.fields = tuple(fields)
        self.counted = tuple([f for f in fields if f.counts is not None])
        self.by_name = {f.name: f for f in fields if f.name[:1] != "_"}
        self.names = MappingProxyType(self.by_name)
        self.numbered = {f.number: f.name for f in fields if f.type >= 0}
        family = self.by_name.get("family")
        for f in own:
            # Every header with an address family has it as its first byte.
            is_first = (family is not None and (<Field>family).type < 0
                        and (<Field>family).offset == 0 and (<Field>family).size == 1)
            f.or_labels = f.by_family and f.selector is None and f.type >= 0 and is_first
            f.is_union = f.by_family and f.type < 0 and f.size == 16
            if f.is_union and not is_first:
                raise TypeError(f"{cls.__name__}.{f.name}: a union of addresses needs a header "
                                "that begins with a member `family` of one byte")
        self.slots = <uint16_t *>PyMem_Calloc(self.top + 2, sizeof(uint16_t))
        if self.slots == NULL:
            raise MemoryError
        for f in fields:
            f.start = self.start
            if f.type >= 0:
                if self.slots[f.type]:
                    raise TypeError(f"{cls.__name__}: {f.name} and "
                                    f"{fields[self.slots[f.type] - 1].name} have the same number, "
                                    f"{f.type}")
                self.slots[f.type] = <uint16_t>(f.slot + 1)
        for f in own:
            f.owner = cls

    def __dealloc__(self):
        PyMem_Free(self.slots)

    def __repr__(self):
        return f"<Table of {self.cls.__name__}: {len(self.fields)} fields>"

    cdef Field field(self, unsigned int type):
        """Return the field of an attribute number, or None."""
        if <int>type > self.top or not self.slots[type]:
            return None
        return <Field>self.fields[self.slots[type] - 1]


cdef int check_own(object cls, list own) except -1:
    """Refuse a field that has no name, or that is used twice: it has one place in one class."""
    cdef Field f
    cdef set names = set()
    for value in own:
        if not isinstance(value, Field):
            raise TypeError(f"{cls.__name__}: expected fields, got {quoted(value)}")
        f = value
        if f.name is None:
            raise TypeError(f"{cls.__name__}: {f!r} has no name")
        if f.owner is not None:
            raise TypeError(f"{cls.__name__}.{f.name} is already a field of {f.owner.__name__}: "
                            "declare another one")
        if f.name in names:
            raise TypeError(f"{cls.__name__}.{f.name} is used for two names: declare two fields")
        names.add(f.name)
    return 0


cdef int replaced_slot(object cls, Field old, Field new) except -1:
    """Return the slot of an attribute that a subclass declares again, with another layout."""
    if old.type < 0 or old.type != new.type:
        raise TypeError(f"{cls.__name__}.{new.name} is also declared in a base class: only an "
                        "attribute can be declared again, and with the same number")
    return old.slot


cdef Table table_of(object cls):
    return <Table?>cls.__table__


MAX_DEPTH = MAX_NESTING


include "_views.pxi"


# --- writing ------------------------------------------------------------------------------------

cdef tuple FAMILY = ("family",)


@cython.internal
@cython.final
@cython.no_gc
@cython.freelist(8)
cdef class Scope:
    """The arguments around a value that is being stored. Selectors look up fields here.

    `view` supplies the fields that are not among the arguments. It is the message that replace()
    changes, or a message that was encoded before it was put into another (without arguments).
    """
    cdef Table table
    cdef tuple names
    cdef PyObject **values
    cdef View view
    cdef Scope parent
    cdef int depth
    cdef Py_ssize_t family_width  # bytes of an address in this address family; -1: not known yet

    cdef PyObject *argument(self, str name):
        """Return an argument as it was passed, or NULL."""
        cdef Py_ssize_t i
        for i in range(len(self.names)):
            if self.names[i] == name:
                return self.values[i]
        return NULL

    cdef object value(self, tuple way):
        """Return an argument as the message will read it, or the value of an absent field."""
        cdef Field f
        cdef PyObject *found = PyDict_GetItem(self.table.by_name, way[0])
        if found == NULL:
            return None
        f = <Field>found
        found = self.argument(f.name)
        if found == NULL and self.view is not None:
            value = getattr(self.view, f.name)
        elif found == NULL or <object>found is None:
            value = 0 if f.type < 0 else f.missing
        else:
            value = <object>found
            if f.enum is not None:
                try:
                    value = open_enum(f, value if isinstance(value, int) else named(f, value))
                except EncodeError:
                    return None  # storing the argument itself will raise
            elif isinstance(value, bytes) and f.kind.load is load_string:
                value = value.decode("utf-8", "surrogateescape")
        return follow(value, way[1:]) if len(way) > 1 else value

    cdef object family(self, Field f):
        """Return the address family, or EtherType, that determines the width of an address."""
        cdef Scope scope = self
        if f.selector is not None:
            return selector_value(f, self)
        while scope is not None:
            if "family" in scope.table.by_name:
                return scope.value(FAMILY)
            scope = scope.parent
        return None

    cdef Py_ssize_t width(self, Field f) except -1:
        """Return the bytes that an address must have by its family; 0: any; or LABELS."""
        cdef PyObject *given
        if f.selector is not None:
            return width_of(self.family(f))
        if self.family_width == -1:
            given = self.argument("family")  # the common case
            self.family_width = width_of(
                <object>given if given != NULL and isinstance(<object>given, int)
                else self.family(f))
        return self.family_width


cdef object deeper(object error, str name):
    """Add one step at the front of an EncodeError's path."""
    if error.path is None:
        error.path = name
    else:
        error.path = f"{name}{'' if error.path.startswith('[') else '.'}{error.path}"
    return error


cdef int encode(Table table, View view, tuple names, PyObject **values,
                View base=None) except -1:
    """Encode the body of a new message.

    `base` is the message that replace() changes, or None.
    """
    cdef uint8_t stack[512]
    cdef Buffer b
    b.data = stack
    b.used = 0
    b.size = sizeof(stack)
    b.heap = False
    b.nested = False
    b.deepest = 0
    try:
        put_body(table, &b, names, values, None, base)
        if b.used > MAX_BODY:
            raise EncodeError(f"{b.used} bytes exceed the limit of a message, {MAX_BODY} bytes")
        view.data = PyBytes_FromStringAndSize(<const char *>b.data, b.used)
        view.length = <uint32_t>b.used
        view.height = <uint8_t>(b.deepest + 1)
    except EncodeError as error:
        raise deeper(error, table.cls.__name__)
    finally:
        if b.heap:
            PyMem_Free(b.data)
    return 0


cdef int put_fields(Table table, Buffer *b, dict fields, Scope parent) except -1:
    """Append a body that is given as a dict of arguments."""
    cdef list values = PyDict_Values(fields)
    return put_body(table, b, tuple(fields), PySequence_Fast_ITEMS(values), parent, None)


cdef str TOO_DEEP = f"messages are nested too deeply: the limit is {MAX_NESTING} levels"


cdef inline Scope new_scope(Table table, tuple names, PyObject **values, View view, Scope parent):
    cdef Scope scope = Scope.__new__(Scope)
    scope.table, scope.names, scope.values = table, names, values
    scope.family_width = -1
    if view is not None:
        scope.view = view
    if parent is not None:
        scope.parent = parent
        scope.depth = parent.depth + 1
        if scope.depth > MAX_NESTING:
            raise EncodeError(TOO_DEEP)
    return scope


cdef int put_body(Table table, Buffer *b, tuple names, PyObject **values, Scope parent,
                  View base) except -1:
    """Append a header, then the attributes in the order of the arguments. None means absent."""
    cdef Field f = None
    cdef PyObject *found
    cdef Scope scope = new_scope(table, names, values, base, parent)
    cdef Py_ssize_t start = b.used
    cdef Py_ssize_t i, end
    if scope.depth > b.deepest:
        b.deepest = scope.depth
    put_zeros(b, table.start if table.has_attributes else table.total)
    try:
        for i in range(len(names)):
            found = PyDict_GetItem(table.by_name, names[i])
            if found == NULL:
                raise unknown_argument(table, names[i])
            value = <object>values[i]
            if value is None:
                continue
            f = <Field>found
            if f.type >= 0:
                put_field(f, b, f.type, value, scope)
            elif not f.size:  # the open-ended last member of a struct
                b.used = start + f.offset
                f.kind.store(f, b, value, scope)
            else:
                end = b.used
                b.used = start + f.offset
                f.kind.store(f, b, value, scope)
                if b.used > start + f.offset + f.size:
                    raise too_many(f, b.used - start - f.offset, value)
                b.used = end
        for f in table.counted:
            put_count(f, b, start, scope)
    except EncodeError as error:
        raise deeper(error, f.name)
    return 0


# The functions that call each other for each level make no texts: that takes much of the C stack.

cdef object too_many(Field f, Py_ssize_t length, object value):
    return EncodeError(f"{length} bytes are too many: the struct member has {f.size}", value=value)


cdef object not_a(Table table, object value):
    return EncodeError(f"expected {table.cls.__name__} or a dict, not {type(value).__name__}",
                       value=value)


cdef object unfit_count(Field f, object given, object count):
    return EncodeError(f"{given} does not fit {f.counts}, which makes it {count}: leave it out",
                       value=given)


cdef int put_count(Field f, Buffer *b, Py_ssize_t start, Scope scope) except -1:
    """Write how many elements the counted field has, or refuse a number that says otherwise."""
    cdef Scope holder = scope
    cdef PyObject *found = scope.argument(f.name)
    cdef Py_ssize_t end
    given = <object>found if found != NULL else None
    for _ in range(f.counts_climb):
        if holder.parent is None:
            return 0
        holder = holder.parent
    found = holder.argument(f.counts)
    counted = <object>found if found != NULL else None
    if counted is None:
        if given is None or f.type >= 0 or f.counts_climb:
            return 0
        counted = getattr(scope.view, f.counts) if scope.view is not None else ()
    if given is None and f.count_mask and scope.view is not None:  # what is not the count is kept
        given = (getattr(scope.view, f.name) or 0) & ~f.count_mask
    try:
        count = len(counted) * f.times
    except TypeError:
        raise EncodeError(f"it counts {f.counts}, which has no length: give a list or a tuple",
                          value=counted) from None
    if f.count_mask and count > f.count_mask:
        raise EncodeError(f"{count} is out of range: 0 to {f.count_mask}", value=count)
    if given is not None:
        given = as_integer(f, given, f.kind.size)
        if (given & f.count_mask if f.count_mask else given) == count:
            return 0
        if not f.count_mask or given & f.count_mask:
            raise unfit_count(f, given, count)
        count |= given
    if f.type >= 0:
        return put_field(f, b, f.type, count, scope) if count else 0
    end = b.used
    b.used = start + f.offset
    f.kind.store(f, b, count, scope)
    b.used = end
    return 0


cdef int put_field(Field f, Buffer *b, int number, object value, Scope scope) except -1:
    """Append one attribute, or all of a repeated one, unless the value means "absent"."""
    cdef Py_ssize_t start
    if value is f.missing:
        return 0
    if f.kind.repeats:
        return f.kind.store(f, b, value, scope)
    if value is False and f.kind.store is store_selected and is_absent(f, scope):
        return 0
    start = open_attribute(b, number | f.type_flags)
    f.kind.store(f, b, value, scope)
    check_bounds(f, b, start)
    return close_attribute(b, start)


cdef inline int check_bounds(Field f, Buffer *b, Py_ssize_t start) except -1:
    """Raise EncodeError if what was stored in an attribute is outside the bounds of its field."""
    if f.least is not None or f.most is not None:
        check_stated_bounds(f, b, start)
    return 0


cdef int check_stated_bounds(Field f, Buffer *b, Py_ssize_t start) except -1:
    cdef Py_ssize_t n = b.used - start - NLA_HDRLEN
    is_number = f.kind.load is load_integer
    value = integer(f, get_integer(b.data + start + NLA_HDRLEN, n, f.kind.is_big),
                    n) if is_number else n
    if (f.least is None or value >= f.least) and (f.most is None or value <= f.most):
        return 0
    bounds = (f"at least {f.least}" if f.most is None else f"at most {f.most}" if f.least is None
              else f"{f.least} to {f.most}" if f.least != f.most else f"{f.least}")
    raise EncodeError(f"{int(value)} is out of range: use {bounds}" if is_number
                      else f"{n} bytes instead of {bounds}", value=value)


cdef bint is_absent(Field f, Scope scope) except -1:
    """Return whether False is written by omitting the attribute: its selected kind is a flag."""
    choice = chosen(f, selector_value(f, scope))
    return isinstance(choice, Field) and (<Field>choice).missing is False


cdef int check_families(Table table, View view, Scope parent) except -1:
    """Raise EncodeError if an encoded message holds addresses of the wrong address family.

    The family may come from an enclosing message, which the constructor of a nested message cannot
    see. replace() may also change the family.
    """
    cdef Field f
    cdef Scope scope
    cdef View child
    cdef const uint8_t *p
    cdef Py_ssize_t n, width
    if table.by_family is None:
        table.by_family = tuple([f for f in table.fields if may_have_addresses(f)])
    if not table.by_family:
        return 0
    scope = new_scope(table, (), NULL, view, parent)
    for f in table.by_family:
        if not find(view, f, &p, &n):
            continue
        try:
            if f.kind.store is store_address:
                width = scope.width(f)
                if width > 0 and n != width:
                    raise wrong_width(f, f.value(view, p, n), width, scope)
                continue
            for place, child in views_below(f, view, p, n):
                try:
                    check_families(table_of(type(child)), child, scope)
                except EncodeError as error:
                    raise deeper(error, place) if place else error
        except EncodeError as error:
            raise deeper(error, f.name)
    return 0


cdef bint may_have_addresses(Field f) except -1:
    """Return whether a field is, or may contain, an address whose width the family determines."""
    cdef list pending = [f]
    cdef set seen = set()
    while pending:
        f = pending.pop()
        if f.kind.store is store_address and f.by_family or f.choices is not None:
            return True
        if f.element is not None:
            pending.append(f.element)
        elif f.target is not None and f.resolve() not in seen:
            seen.add(f.table)
            pending += f.table.fields
    return False


cdef object unknown_argument(Table table, object name):
    return TypeError(no_field(table, name))


cdef str no_field(Table table, object name):
    """Return the error text for an unknown field name, with the nearest known name."""
    import difflib  # slow to import, and needed for errors only
    near = difflib.get_close_matches(shown(name), table.by_name, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{table.cls.__name__} has no field {quoted(name)}{hint}"


include "_requests.pxi"
include "_messages.pxi"
include "_columns.pxi"
