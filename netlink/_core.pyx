# cython: embedsignature=True, embedsignature.format=python, wraparound=False, cdivision=True
# cython: auto_pickle=False, autotestdict=False
"""Wire bytes: walking, kinds, views, encoding, and the sorting of datagrams into runs.

This module turns bytes into values and values into bytes. It knows no socket, no family and no
policy: what a message class declares arrives as Field objects, which netlink.schema compiles
into one Table per class.

Rules of the house here:
- all pointer arithmetic over messages and attributes goes through `Cursor`: a header is loaded
  by an `_ok` function, which refuses one that does not fit, and left by `step`;
- memcpy, never a cast: no alignment of the buffer is assumed (64-bit values sit at 4-byte
  boundaries);
- a kind's behaviour stands in one block (check, load, store); nothing else switches over types;
- a View is `(bytes, offset, length)`: immutable, outside the cyclic collector, and the framing of
  its attributes is checked before it exists.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.buffer cimport (
    PyBUF_SIMPLE,
    PyBuffer_Release,
    PyObject_CheckBuffer,
    PyObject_GetBuffer,
)
from cpython.dict cimport PyDict_GetItem
from cpython.long cimport PyLong_AsUnsignedLongLong, PyLong_AsLongLong
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.memoryview cimport PyMemoryView_FromObject
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy, memset

import difflib
import ipaddress
from enum import Flag

from netlink.errors import DecodeError, EncodeError

cdef extern from *:
    """
    #include <stdint.h>
    /* A subclass of View defines no __new__, so tp_new is View's own: no lookup, no __init__. */
    static inline PyObject *netlink_new(PyObject *cls, PyObject *no_args) {
        return ((PyTypeObject *)cls)->tp_new((PyTypeObject *)cls, no_args, NULL);
    }
    /* A class made in Python has the cyclic collector's header although its instances hold one
       bytes object and a parent: take it away, as long as the class has no instances. */
    static inline void netlink_untrack(PyObject *cls) {
        ((PyTypeObject *)cls)->tp_flags &= ~Py_TPFLAGS_HAVE_GC;
        ((PyTypeObject *)cls)->tp_free = PyObject_Free;
    }
    static inline int netlink_set(PyObject *member, PyObject *obj, PyObject *value) {
        return Py_TYPE(member)->tp_descr_set(member, obj, value);
    }
    /* ASCII text of known length, to be filled in; NULL with MemoryError set. */
    static inline PyObject *netlink_ascii(Py_ssize_t length, char **text) {
        PyObject *result = PyUnicode_New(length, 127);
        *text = result ? (char *)PyUnicode_1BYTE_DATA(result) : NULL;
        return result;
    }
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    #define NETLINK_BIG_ENDIAN 1
    #else
    #define NETLINK_BIG_ENDIAN 0
    #endif
    """
    object netlink_new(object cls, tuple no_args)
    void netlink_untrack(object cls)
    int netlink_set(object member, object obj, object value) except -1
    object netlink_ascii(Py_ssize_t length, char **text)
    const bint NETLINK_BIG_ENDIAN


# --- framing ------------------------------------------------------------------------------------

cdef struct nlmsghdr:  # linux/netlink.h
    uint32_t nlmsg_len
    uint16_t nlmsg_type
    uint16_t nlmsg_flags
    uint32_t nlmsg_seq
    uint32_t nlmsg_pid

cdef struct nlattr:  # linux/netlink.h
    uint16_t nla_len
    uint16_t nla_type

cdef enum:
    NLMSG_HDRLEN = 16
    NLA_HDRLEN = 4
    GENL_HDRLEN = 4
    NLMSG_MIN_TYPE = 0x10  # below: control messages
    NLA_TYPE_MASK = 0x3FFF
    NLA_F_NESTED = 0x8000
    NLA_MAX_LEN = 0xFFFF

cdef struct Cursor:
    const uint8_t *at
    Py_ssize_t left


cdef inline Py_ssize_t align4(Py_ssize_t length) noexcept nogil:
    """NLMSG_ALIGN and NLA_ALIGN, which are the same."""
    return (length + 3) & ~3


cdef inline bint message_ok(Cursor *c, nlmsghdr *header) noexcept nogil:
    """Load the message header under the cursor; false where message or header do not fit."""
    if c.left < NLMSG_HDRLEN:
        return False
    memcpy(header, c.at, NLMSG_HDRLEN)
    return NLMSG_HDRLEN <= header.nlmsg_len <= <size_t>c.left


cdef inline bint attribute_ok(Cursor *c, nlattr *header) noexcept nogil:
    """Load the attribute header under the cursor; false where attribute or header do not fit."""
    if c.left < NLA_HDRLEN:
        return False
    memcpy(header, c.at, NLA_HDRLEN)
    return NLA_HDRLEN <= header.nla_len <= c.left


cdef inline void step(Cursor *c, Py_ssize_t length) noexcept nogil:
    """Move past `length` bytes and their padding; the last one may lack its padding."""
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

    `payload` is a memoryview that keeps the buffer alive; `offset` is where the header starts.
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

    `type` comes without its flag bits, `flags` holds them (NLA_F_NESTED 0x8000,
    NLA_F_NET_BYTEORDER 0x4000), `payload` is a memoryview, `offset` is where the header starts.
    """
    cdef readonly unsigned int type
    cdef readonly unsigned int flags
    cdef readonly Py_ssize_t offset
    cdef readonly object payload

    def __repr__(self):
        return (f"RawAttribute(type={self.type}, flags={self.flags:#x}, "
                f"payload={bytes(self.payload)!r})")


cdef RawMessage raw_message(object view, const nlmsghdr *header, Py_ssize_t offset):
    cdef RawMessage message = RawMessage.__new__(RawMessage)
    message.type = header.nlmsg_type
    message.flags = header.nlmsg_flags
    message.seq = header.nlmsg_seq
    message.pid = header.nlmsg_pid
    message.offset = offset
    message.payload = view[offset + NLMSG_HDRLEN:offset + <Py_ssize_t>header.nlmsg_len]
    return message


@cython.internal
@cython.final
cdef class _RawMessages:
    """The iterator behind iter_messages."""
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
            raise message_fault(&self.at, offset)
        step(&self.at, header.nlmsg_len)
        return raw_message(self.flat.view, &header, offset)


@cython.internal
@cython.final
cdef class _RawAttributes:
    """The iterator behind iter_attributes."""
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
            raise attribute_fault(&self.at, None, offset)
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
    offset at a message that does not fit; everything before it has been handed out by then.
    """
    return _RawMessages(data)


def iter_attributes(payload, /):
    """Iterate over a list of attributes as RawAttribute objects, without a schema.

    `payload` is any buffer object that starts at the first attribute. Raises DecodeError with
    the offset at an attribute that does not fit.
    """
    return _RawAttributes(payload)


cdef object message_fault(Cursor *c, Py_ssize_t offset):
    """The DecodeError for a message that message_ok refused."""
    cdef nlmsghdr header
    if c.left < NLMSG_HDRLEN:
        return DecodeError(
            f"{c.left} bytes left where a message header takes {NLMSG_HDRLEN}", offset=offset)
    memcpy(&header, c.at, NLMSG_HDRLEN)
    return DecodeError(f"nlmsg_len {header.nlmsg_len} does not fit: at least {NLMSG_HDRLEN}, "
                       f"at most the {c.left} bytes left", offset=offset)


cdef object attribute_fault(Cursor *c, object path, Py_ssize_t offset):
    """The DecodeError for an attribute that attribute_ok refused."""
    cdef nlattr header
    if c.left < NLA_HDRLEN:
        return DecodeError(f"{c.left} bytes left where an attribute header takes {NLA_HDRLEN}",
                           path=path, offset=offset)
    memcpy(&header, c.at, NLA_HDRLEN)
    return DecodeError(f"nla_len {header.nla_len} of attribute {header.nla_type & NLA_TYPE_MASK} "
                       f"does not fit: at least {NLA_HDRLEN}, at most the {c.left} bytes left",
                       path=path, offset=offset)


# --- encoding buffer ----------------------------------------------------------------------------

cdef struct Buffer:
    # Bytes under construction: on the caller's stack until they outgrow it.
    uint8_t *data
    Py_ssize_t used
    Py_ssize_t size
    bint heap


cdef int reserve(Buffer *b, Py_ssize_t more) except -1:
    """Make room for `more` bytes."""
    cdef Py_ssize_t size = b.size
    cdef uint8_t *data
    if b.used + more <= size:
        return 0
    while size < b.used + more:
        size *= 2
    if b.heap:
        data = <uint8_t *>PyMem_Realloc(b.data, size)
    else:
        data = <uint8_t *>PyMem_Malloc(size)
        if data != NULL:
            memcpy(data, b.data, b.used)
    if data == NULL:
        raise MemoryError
    b.data = data
    b.size = size
    b.heap = True
    return 0


cdef inline int put_bytes(Buffer *b, const void *data, Py_ssize_t length) except -1:
    reserve(b, length)
    memcpy(b.data + b.used, data, length)
    b.used += length
    return 0


cdef inline int put_zeros(Buffer *b, Py_ssize_t length) except -1:
    reserve(b, length)
    memset(b.data + b.used, 0, length)
    b.used += length
    return 0


cdef inline Py_ssize_t open_attribute(Buffer *b, unsigned int type) except -1:
    """Begin an attribute; its place is given back for close_attribute."""
    cdef Py_ssize_t start = b.used
    cdef nlattr header
    header.nla_len = 0
    header.nla_type = <uint16_t>type
    put_bytes(b, &header, NLA_HDRLEN)
    return start


cdef inline int close_attribute(Buffer *b, Py_ssize_t start) except -1:
    """Write the attribute's length and pad it."""
    cdef Py_ssize_t length = b.used - start
    cdef uint16_t nla_len = <uint16_t>length
    if length > NLA_MAX_LEN:
        raise EncodeError(f"{length - NLA_HDRLEN} bytes exceed the {NLA_MAX_LEN - NLA_HDRLEN} that "
                          "an attribute can carry")
    memcpy(b.data + start, &nla_len, 2)
    put_zeros(b, align4(length) - length)
    return 0


# --- kinds --------------------------------------------------------------------------------------
#
# A kind says how one value looks on the wire. `check` refuses a payload that cannot be one (NULL:
# it can), `load` makes the value and may rely on check, `store` appends the payload.
#
#   kind                          value                       on the wire
#   u8..u64 s8..s64 be16.. sbe16..  int, or a member of `enum`  exactly that many bytes
#   uint sint                     int                         4 or 8 bytes, the writer's choice
#   flag                          bool                        presence, no payload
#   string                        str                         UTF-8 up to the first NUL
#   binary                        bytes                       as it is
#   pad                           -                           header bytes that mean nothing
#   address                       IPv4Address, IPv6Address    4 or 16 bytes; other lengths: bytes
#   mac                           str "aa:bb:..."             any length
#   bitfield32                    Bitfield32                  value and selector (struct nla_bitfield32)
#   struct                        View without attributes     a C struct; may be longer or shorter
#   nest                          View                        optional header, then attributes
#   selected                      View or bytes               a nest whose class a field chooses
#   scalars                       tuple                       a C array of one fixed-size kind
#   array                         tuple                       attributes whose types only count
#   mapping                       dict                        attributes whose types are keys
#   repeated                      tuple                       the attribute itself comes several times
#   records                       tuple of Views              structs led by a u16 length (rtnexthop)

ctypedef const char *(*check_function)(Field f, const uint8_t *p, Py_ssize_t n) noexcept
ctypedef object (*load_function)(Field f, View owner, const uint8_t *p, Py_ssize_t n)
ctypedef int (*store_function)(Field f, Buffer *b, object value, Scope scope) except -1

cdef struct Kind:
    const char *name
    check_function check
    load_function load
    store_function store
    Py_ssize_t size  # of the payload, where it is fixed
    bint is_signed
    bint is_big
    bint is_nested   # written with NLA_F_NESTED
    bint repeats     # owns the attribute header too: it may write several attributes, or none

cdef enum:
    MAX_KINDS = 48

cdef Kind KINDS[MAX_KINDS]
cdef dict KIND_NUMBERS = {}


cdef Kind *define_kind(const char *name, check_function check, load_function load,
                       store_function store, Py_ssize_t size=0) except NULL:
    cdef Py_ssize_t number = len(KIND_NUMBERS)
    cdef Kind *kind = &KINDS[number]
    kind.name = name
    kind.check = check
    kind.load = load
    kind.store = store
    kind.size = size
    KIND_NUMBERS[name.decode()] = number
    return kind


cdef const char *check_any(Field f, const uint8_t *p, Py_ssize_t n) noexcept:
    return NULL


# Integers, of fixed and of variable width.

cdef inline uint64_t swap(uint64_t value, Py_ssize_t size) noexcept nogil:
    cdef uint64_t result = 0
    for _ in range(size):
        result = (result << 8) | (value & 0xFF)
        value >>= 8
    return result


cdef inline uint64_t get_integer(const uint8_t *p, Py_ssize_t size, bint big) noexcept nogil:
    """The unsigned integer of 1, 2, 4 or 8 bytes at p; 0 for any other size."""
    cdef uint16_t two
    cdef uint32_t four
    cdef uint64_t value = 0
    if size == 4:
        memcpy(&four, p, 4)
        value = four
    elif size == 1:
        value = p[0]
    elif size == 2:
        memcpy(&two, p, 2)
        value = two
    elif size == 8:
        memcpy(&value, p, 8)
    if big != NETLINK_BIG_ENDIAN:
        value = swap(value, size)
    return value


cdef inline int put_integer(Buffer *b, uint64_t value, Py_ssize_t size, bint big) except -1:
    """Append the low `size` bytes of value."""
    cdef uint8_t data[8]
    cdef uint64_t v = value
    cdef Py_ssize_t i
    for i in range(size):
        data[size - 1 - i if big else i] = v & 0xFF
        v >>= 8
    return put_bytes(b, data, size)


cdef const char *check_integer(Field f, const uint8_t *p, Py_ssize_t n) noexcept:
    if n != f.kind.size:
        return b"wrong length"
    return NULL


cdef const char *check_variable_integer(Field f, const uint8_t *p, Py_ssize_t n) noexcept:
    if n not in (1, 2, 4, 8):
        return b"wrong length"
    return NULL


cdef object load_integer(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    cdef uint64_t raw = get_integer(p, n, f.kind.is_big)
    cdef int64_t value
    if f.kind.is_signed:
        value = <int64_t>(raw << (64 - 8 * n)) >> (64 - 8 * n)
        return open_enum(f, value) if f.enum is not None else value
    return open_enum(f, raw) if f.enum is not None else raw


cdef object open_enum(Field f, object value):
    """The enum's member for a value; an IntEnum that lacks it gives the plain int."""
    cdef PyObject *known = PyDict_GetItem(f.members, value)
    if known != NULL:
        return <object>known
    return f.enum(value) if f.is_flags else value


cdef int store_integer(Field f, Buffer *b, object value, Scope scope) except -1:
    cdef Py_ssize_t size = f.kind.size
    cdef uint64_t raw = as_integer(f, value, size if size else 8)
    if not size:
        size = 4 if fits_four(f.kind.is_signed, raw) else 8
    return put_integer(b, raw, size, f.kind.is_big)


cdef bint fits_four(bint is_signed, uint64_t raw) noexcept:
    if is_signed:
        return <int64_t>raw == <int32_t>raw
    return raw <= 0xFFFFFFFF


cdef uint64_t as_integer(Field f, object value, Py_ssize_t size) except? 0xFFFFFFFFFFFFFFFF:
    """The two's complement of an int that must fit `size` bytes."""
    cdef int64_t low
    cdef uint64_t high
    cdef int bits = 8 * <int>size
    if not isinstance(value, int):
        if isinstance(value, str) and f.enum is not None and value in f.enum.__members__:
            value = f.enum.__members__[value]
        else:
            raise EncodeError(f"expected an int, not {type(value).__name__}", value=value)
    try:
        if f.kind.is_signed:
            low = PyLong_AsLongLong(value)
            if bits == 64 or -(<int64_t>1 << (bits - 1)) <= low < <int64_t>1 << (bits - 1):
                return <uint64_t>low
        else:
            high = PyLong_AsUnsignedLongLong(value)
            if bits == 64 or high < (<uint64_t>1 << bits):
                return high
    except OverflowError:
        pass
    least = -(<object>1 << (bits - 1)) if f.kind.is_signed else 0
    most = (<object>1 << (bits - 1 if f.kind.is_signed else bits)) - 1
    raise EncodeError(f"{value} is out of range: {least} to {most}", value=value)


cdef int define_integer(const char *name, Py_ssize_t size, bint is_signed, bint is_big) except -1:
    cdef Kind *kind = define_kind(
        name, check_integer if size else check_variable_integer, load_integer, store_integer, size)
    kind.is_signed = is_signed
    kind.is_big = is_big
    return 0


define_integer(b"u8", 1, False, NETLINK_BIG_ENDIAN)
define_integer(b"u16", 2, False, NETLINK_BIG_ENDIAN)
define_integer(b"u32", 4, False, NETLINK_BIG_ENDIAN)
define_integer(b"u64", 8, False, NETLINK_BIG_ENDIAN)
define_integer(b"s8", 1, True, NETLINK_BIG_ENDIAN)
define_integer(b"s16", 2, True, NETLINK_BIG_ENDIAN)
define_integer(b"s32", 4, True, NETLINK_BIG_ENDIAN)
define_integer(b"s64", 8, True, NETLINK_BIG_ENDIAN)
define_integer(b"be16", 2, False, True)
define_integer(b"be32", 4, False, True)
define_integer(b"be64", 8, False, True)
define_integer(b"sbe16", 2, True, True)
define_integer(b"sbe32", 4, True, True)
define_integer(b"sbe64", 8, True, True)
define_integer(b"uint", 0, False, NETLINK_BIG_ENDIAN)
define_integer(b"sint", 0, True, NETLINK_BIG_ENDIAN)


# Flag: its presence is its value.

cdef const char *check_flag(Field f, const uint8_t *p, Py_ssize_t n) noexcept:
    if n:
        return b"a flag has no payload"
    return NULL


cdef object load_flag(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    return True


cdef int store_flag(Field f, Buffer *b, object value, Scope scope) except -1:
    if value is not True:  # False is the missing value, which is never stored
        raise EncodeError(f"expected True or False, not {value!r}", value=value)
    return 0


define_kind(b"flag", check_flag, load_flag, store_flag)


# String: the kernel ends most of them with a NUL, and reads them with or without.

cdef object load_string(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    cdef const uint8_t *end = <const uint8_t *>memchr(p, 0, n)
    return PyUnicode_DecodeUTF8(<const char *>p, end - p if end != NULL else n, "surrogateescape")


cdef int store_string(Field f, Buffer *b, object value, Scope scope) except -1:
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    elif not isinstance(value, bytes):
        raise EncodeError(f"expected a str, not {type(value).__name__}", value=value)
    if b"\0" in value:
        raise EncodeError("a string cannot hold a NUL", value=value)
    if f.size and PyBytes_GET_SIZE(value) >= f.size:
        raise EncodeError(f"{len(value)} bytes exceed the {f.size - 1} that fit", value=value)
    put_bytes(b, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    return put_zeros(b, 1)


define_kind(b"string", check_any, load_string, store_string)


# Binary: bytes as they are. Pad: header bytes that carry no value.

cdef object load_binary(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    return PyBytes_FromStringAndSize(<const char *>p, n)


cdef int store_binary(Field f, Buffer *b, object value, Scope scope) except -1:
    if isinstance(value, str) or not PyObject_CheckBuffer(value):
        raise EncodeError(f"expected bytes, not {type(value).__name__}", value=value)
    data = bytes(value)
    if f.size and PyBytes_GET_SIZE(data) > f.size:
        raise EncodeError(f"{len(data)} bytes exceed the {f.size} that fit", value=value)
    return put_bytes(b, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


define_kind(b"binary", check_any, load_binary, store_binary)
define_kind(b"pad", check_any, load_binary, store_binary)


# Address: an IP address by its length.

cdef object V4 = ipaddress.IPv4Address
cdef object V6 = ipaddress.IPv6Address
cdef object V4_IP = None     # the slot descriptors, where the classes are built as expected
cdef object V6_IP = None
cdef object V6_SCOPE = None


cdef object fast_v4(uint32_t value):
    """An IPv4Address without its constructor, which takes ten times as long."""
    address = netlink_new(V4, ())
    netlink_set(V4_IP, address, value)
    return address


cdef object fast_v6(object value):
    address = netlink_new(V6, ())
    netlink_set(V6_IP, address, value)
    netlink_set(V6_SCOPE, address, None)
    return address


def _try_fast_addresses():
    """Use the slots of the address classes if they behave as the constructors do."""
    global V4_IP, V6_IP, V6_SCOPE
    try:
        V4_IP = V4.__dict__["_ip"]
        V6_IP, V6_SCOPE = V6.__dict__["_ip"], V6.__dict__["_scope_id"]
        probes = ((fast_v4(0xC0000201), V4(0xC0000201)), (fast_v6(1 << 127), V6(1 << 127)))
        trusted = all(
            fast == slow and str(fast) == str(slow) and hash(fast) == hash(slow)
            for fast, slow in probes
        )
    except (AttributeError, KeyError, TypeError):
        trusted = False
    if not trusted:
        V4_IP = V6_IP = V6_SCOPE = None


_try_fast_addresses()


cdef object load_address(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    cdef uint64_t high
    if n == 4:
        high = get_integer(p, 4, True)
        return fast_v4(<uint32_t>high) if V4_IP is not None else V4(high)
    if n == 16:
        high = get_integer(p, 8, True)
        value = get_integer(p + 8, 8, True)
        if high:
            value |= (<object>high) << 64
        return fast_v6(value) if V6_SCOPE is not None else V6(value)
    return PyBytes_FromStringAndSize(<const char *>p, n)


cdef int store_address(Field f, Buffer *b, object value, Scope scope) except -1:
    if isinstance(value, str):
        try:
            value = ipaddress.ip_address(value)
        except ValueError:
            raise EncodeError(f"{value!r} is no IP address", value=value) from None
    if type(value) is V4:
        if f.size not in (0, 4):
            raise EncodeError(f"{value} is no address of {f.size} bytes", value=value)
        return put_integer(b, <uint32_t>int(value), 4, True)
    if isinstance(value, (V4, V6)):
        value = value.packed
    elif not isinstance(value, bytes):
        raise EncodeError(f"expected an IP address, not {type(value).__name__}", value=value)
    if f.size and PyBytes_GET_SIZE(value) != f.size:
        raise EncodeError(f"{value!r} is no address of {f.size} bytes", value=value)
    return put_bytes(b, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))


define_kind(b"address", check_any, load_address, store_address)


# Mac: a link-layer address of any length, as hexadecimal pairs.

cdef const char *HEX = b"0123456789abcdef"


cdef object load_mac(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    cdef char *text
    cdef Py_ssize_t i
    if n == 0:
        return ""
    result = netlink_ascii(3 * n - 1, &text)
    for i in range(n):
        text[3 * i] = HEX[p[i] >> 4]
        text[3 * i + 1] = HEX[p[i] & 15]
        if i < n - 1:
            text[3 * i + 2] = b":"
    return result


cdef int store_mac(Field f, Buffer *b, object value, Scope scope) except -1:
    if isinstance(value, str):
        pairs = value.replace("-", ":").split(":") if value else []
        try:
            if not all(len(pair) == 2 for pair in pairs):
                raise ValueError
            value = bytes.fromhex("".join(pairs))
        except ValueError:
            raise EncodeError(f"{value!r} is no link-layer address like '02:00:00:00:00:01'",
                              value=value) from None
    elif not isinstance(value, bytes):
        raise EncodeError(f"expected a str, not {type(value).__name__}", value=value)
    if f.size and PyBytes_GET_SIZE(value) > f.size:
        raise EncodeError(f"{len(value)} bytes exceed the {f.size} that fit", value=value)
    return put_bytes(b, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))


define_kind(b"mac", check_any, load_mac, store_mac)


# Bitfield32: bits and which of them are meant (struct nla_bitfield32, linux/netlink.h).

cdef const char *check_bitfield32(Field f, const uint8_t *p, Py_ssize_t n) noexcept:
    if n != 8:
        return b"wrong length"
    return NULL


cdef object load_bitfield32(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    value = get_integer(p, 4, NETLINK_BIG_ENDIAN)
    return Bitfield32(open_enum(f, value) if f.enum is not None else value,
                      get_integer(p + 4, 4, NETLINK_BIG_ENDIAN))


cdef int store_bitfield32(Field f, Buffer *b, object value, Scope scope) except -1:
    try:
        bits, selector = value
    except (TypeError, ValueError):
        raise EncodeError("expected a pair (value, selector)", value=value) from None
    put_integer(b, as_integer(f, bits, 4), 4, NETLINK_BIG_ENDIAN)
    return put_integer(b, as_integer(f, selector, 4), 4, NETLINK_BIG_ENDIAN)


define_kind(b"bitfield32", check_bitfield32, load_bitfield32, store_bitfield32, 8)


# Struct and nest: a View of another class.

cdef object load_view(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    return new_view(f.resolve(), owner.data, p - data_start(owner), n, 0, owner)


cdef int store_view(Field f, Buffer *b, object value, Scope scope) except -1:
    return put_view(f.resolve(), b, value, scope)


cdef int put_view(Table table, Buffer *b, object value, Scope scope) except -1:
    """Append a body: an instance of the class as it is, or a dict of its arguments."""
    cdef View view
    if isinstance(value, dict):
        return put_body(table, b, value, scope)
    if not isinstance(value, table.cls):
        raise EncodeError(f"expected {table.cls.__name__} or a dict, not {type(value).__name__}",
                          value=value)
    view = value
    return put_bytes(b, body(view), view.length)


define_kind(b"struct", check_any, load_view, store_view)
define_kind(b"nest", check_any, load_view, store_view).is_nested = True


# Selected: a nest whose class is chosen by a field beside it, or beside its parent.

cdef object load_selected(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    cdef View holder = owner
    for _ in range(f.climb):
        holder = holder.parent
        if holder is None:
            return PyBytes_FromStringAndSize(<const char *>p, n)
    cls = f.choices.get(getattr(holder, f.selector))
    if cls is None:
        return PyBytes_FromStringAndSize(<const char *>p, n)
    return new_view(table_of(cls), owner.data, p - data_start(owner), n, 0, owner)


cdef int store_selected(Field f, Buffer *b, object value, Scope scope) except -1:
    cdef Scope holder = scope
    if isinstance(value, View):
        return put_view(table_of(type(value)), b, value, scope)
    if not isinstance(value, dict):
        return store_binary(f, b, value, scope)
    for _ in range(f.climb):
        holder = holder.parent if holder is not None else None
    chosen = holder.value(f.selector) if holder is not None else None
    cls = f.choices.get(chosen)
    if cls is None:
        raise EncodeError(f"no class is declared for {f.selector} {chosen!r}: give bytes, or one of "
                          + ", ".join(map(str, f.choices)), value=value)
    return put_view(table_of(cls), b, value, scope)


define_kind(b"selected", check_any, load_selected, store_selected).is_nested = True


# Scalars: a C array of one kind of fixed size.

cdef const char *check_scalars(Field f, const uint8_t *p, Py_ssize_t n) noexcept:
    if n % f.element.size:
        return b"not a whole number of elements"
    return NULL


cdef object load_scalars(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    cdef Py_ssize_t size = f.element.size
    cdef Py_ssize_t i
    return tuple([f.element.kind.load(f.element, owner, p + i * size, size)
                  for i in range(n // size)])


cdef int store_scalars(Field f, Buffer *b, object value, Scope scope) except -1:
    cdef Py_ssize_t start = b.used
    for item in value:
        f.element.kind.store(f.element, b, item, scope)
    if f.size and b.used - start > f.size:
        raise EncodeError(f"{len(value)} elements exceed the {f.size // f.element.size} that fit",
                          value=value)
    return 0


define_kind(b"scalars", check_scalars, load_scalars, store_scalars)


# Array and mapping: attributes inside the attribute, their types a position or a key.

cdef object load_array(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    return tuple([value for _, value in elements(f, owner, p, n)])


cdef object load_mapping(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    return {(open_enum(f, key) if f.enum is not None else key): value
            for key, value in elements(f, owner, p, n)}


cdef list elements(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    """The (type, value) pairs of a payload that is a list of attributes."""
    cdef Cursor c = Cursor(p, n)
    cdef nlattr header
    cdef list found = []
    while c.left > 0:
        if not attribute_ok(&c, &header):
            raise attribute_fault(&c, path_at(owner, c.at), c.at - data_start(owner))
        found.append((header.nla_type & NLA_TYPE_MASK,
                      f.element.value(owner, c.at + NLA_HDRLEN, header.nla_len - NLA_HDRLEN)))
        step(&c, header.nla_len)
    return found


cdef int store_array(Field f, Buffer *b, object value, Scope scope) except -1:
    for position, item in enumerate(value, f.first):
        put_element(f, b, position, item, scope)
    return 0


cdef int store_mapping(Field f, Buffer *b, object value, Scope scope) except -1:
    if not isinstance(value, dict):
        raise EncodeError(f"expected a dict, not {type(value).__name__}", value=value)
    for key, item in value.items():
        put_element(f, b, key, item, scope)
    return 0


cdef int put_element(Field f, Buffer *b, object key, object item, Scope scope) except -1:
    if not isinstance(key, int) or not 0 <= key <= NLA_TYPE_MASK:
        raise EncodeError(f"{key!r} is no attribute type: an int, 0 to {NLA_TYPE_MASK}", value=key)
    cdef unsigned int type = key
    if f.element.kind.is_nested:
        type |= NLA_F_NESTED
    cdef Py_ssize_t start = open_attribute(b, type)
    try:
        f.element.kind.store(f.element, b, item, scope)
        close_attribute(b, start)
    except EncodeError as error:
        raise deeper(error, f"[{key}]")
    return 0


define_kind(b"array", check_any, load_array, store_array).is_nested = True
define_kind(b"mapping", check_any, load_mapping, store_mapping).is_nested = True


# Repeated: the same attribute several times; the first one leads to the rest.

cdef object load_repeated(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    cdef Cursor c
    cdef nlattr header
    cdef list found = []
    c.at = p - NLA_HDRLEN
    c.left = body(owner) + owner.length - c.at
    while attribute_ok(&c, &header):
        if (header.nla_type & NLA_TYPE_MASK) == f.number:
            found.append(f.element.value(owner, c.at + NLA_HDRLEN, header.nla_len - NLA_HDRLEN))
        step(&c, header.nla_len)
    return tuple(found)


cdef int store_repeated(Field f, Buffer *b, object value, Scope scope) except -1:
    for position, item in enumerate(value):
        try:
            put_field(f.element, b, f.number, item, scope)
        except EncodeError as error:
            raise deeper(error, f"[{position}]")
    return 0


define_kind(b"repeated", check_any, load_repeated, store_repeated).repeats = True


# Records: structs one after the other, each led by its own length (u16) and followed by
# attributes: the next hops of RTA_MULTIPATH (struct rtnexthop, linux/rtnetlink.h).

cdef object load_records(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    cdef Cursor c = Cursor(p, n)
    cdef Table table = f.resolve()
    cdef Py_ssize_t length
    cdef list found = []
    while c.left > 0:
        length = <Py_ssize_t>get_integer(c.at, 2, NETLINK_BIG_ENDIAN) if c.left >= 2 else 0
        if length < table.header or length > c.left:
            raise DecodeError(f"a record's length {length} does not fit: at least {table.header}, "
                              f"at most the {c.left} bytes left", path=path_at(owner, c.at),
                              offset=c.at - data_start(owner))
        found.append(new_view(table, owner.data, c.at - data_start(owner), length, 0, owner))
        step(&c, length)
    return tuple(found)


cdef int store_records(Field f, Buffer *b, object value, Scope scope) except -1:
    cdef Py_ssize_t start
    cdef uint16_t length
    for position, item in enumerate(value):
        start = b.used
        try:
            put_view(f.resolve(), b, item, scope)
        except EncodeError as error:
            raise deeper(error, f"[{position}]")
        if b.used - start > NLA_MAX_LEN:
            raise EncodeError(f"record {position} takes {b.used - start} bytes", value=value)
        length = <uint16_t>(b.used - start)
        memcpy(b.data + start, &length, 2)
        put_zeros(b, align4(length) - length)
    return 0


define_kind(b"records", check_any, load_records, store_records)


class Bitfield32(tuple):
    """Bits and the mask of those that are meant (struct nla_bitfield32, linux/netlink.h)."""

    __slots__ = ()
    __match_args__ = ("value", "selector")

    def __new__(cls, value, selector):
        return tuple.__new__(cls, (value, selector))

    def __getnewargs__(self):
        return tuple(self)

    value = property(lambda self: self[0], doc="the bits")
    selector = property(lambda self: self[1], doc="the mask of the bits that are meant")

    def __repr__(self):
        return f"Bitfield32(value={self[0]!r}, selector={self[1]:#x})"


def kinds():
    """The names of all kinds, in the order of their definition."""
    return tuple(KIND_NUMBERS)


# --- fields and tables --------------------------------------------------------------------------

@cython.final
cdef class Field:
    """One declared value of a message class: a compiled row, and the descriptor that reads it.

    Without a `number` it is a member of the fixed header, otherwise the attribute of that number.
    Made by the words of netlink.schema; not meant to be called otherwise.
    """
    cdef readonly str name
    cdef readonly object number       # attribute type, or None for a header member
    cdef readonly Py_ssize_t offset   # of a header member in the body
    cdef readonly Py_ssize_t size     # bytes of a header member; most bytes of a string, or 0
    cdef readonly Py_ssize_t align    # of a header member
    cdef readonly Py_ssize_t first    # number of an array's first element
    cdef readonly object enum
    cdef readonly object choices
    cdef readonly str selector
    cdef readonly int climb           # how many parents up the selector stands
    cdef readonly object missing      # what a message without the attribute reads as
    cdef readonly Field element
    cdef const Kind *kind
    cdef int type                     # number as a C int; -1 for a header member
    cdef int slot                     # position in the table
    cdef Py_ssize_t start             # where the owner's attributes begin
    cdef dict members
    cdef bint is_flags
    cdef object target                # class, or a callable that gives it
    cdef Table table

    def __cinit__(self, str kind not None, number=None, *, enum=None, target=None,
                  Field element=None, str selector=None, choices=None, Py_ssize_t size=0,
                  Py_ssize_t align=0, Py_ssize_t first=0):
        if number is not None and not 0 <= number <= NLA_TYPE_MASK:
            raise ValueError(f"attribute number {number} is not within 0 to {NLA_TYPE_MASK}")
        self.kind = &KINDS[KIND_NUMBERS[kind]]
        self.number = number
        self.type = -1 if number is None else number
        self.size = size or self.kind.size
        self.align = align or self.kind.size or 1
        self.first = first
        self.enum = enum
        self.target = target
        self.element = element
        self.choices = choices
        if enum is not None:
            self.members = enum._value2member_map_
            self.is_flags = issubclass(enum, Flag)
        if selector is not None:
            self.selector = selector.lstrip("^")
            self.climb = len(selector) - len(self.selector)
        if kind == "flag":
            self.missing = False
        elif kind in ("array", "repeated", "records", "scalars"):
            self.missing = ()
        if kind == "repeated":
            element.number = number
            element.type = self.type
        if kind == "struct" and number is None:
            self.size, self.align = self.resolve().total, self.resolve().align
        if kind == "scalars":
            self.align = element.align

    def __set_name__(self, owner, str name):
        if self.name is None:
            self.name = name

    @property
    def kind_name(self):
        """The kind's name, as in the table above the kinds."""
        return self.kind.name.decode()

    @property
    def message(self):
        """The message class of a struct, nest or records field, else None."""
        return self.resolve().cls if self.target is not None else None

    def __repr__(self):
        place = f"at {self.offset}" if self.number is None else f"{self.number}"
        return f"<Field {self.name}: {self.kind_name} {place}>"

    cdef Table resolve(self):
        """The table of the class this field refers to; the class may have been given later."""
        if self.table is None:
            target = self.target
            if not (isinstance(target, type) and issubclass(target, View)):
                target = target()
            self.table = table_of(target)
        return self.table

    def __get__(self, instance, owner):
        cdef const uint8_t *p
        cdef Py_ssize_t n
        if instance is None:
            return self
        cdef View view = <View?>instance
        if not find(view, self, &p, &n):
            return self.missing
        return self.value(view, p, n)

    cdef object value(self, View view, const uint8_t *p, Py_ssize_t n):
        """Check and load the payload at p, which lies within the view."""
        cdef const char *reason = self.kind.check(self, p, n)
        if reason != NULL:
            where = "" if not self.kind.size else f" of {self.kind.size}"
            raise DecodeError(
                f"{reason.decode()} for {self.kind_name}: {n} bytes instead{where}"
                if self.kind.size else f"{reason.decode()}: {n} bytes for {self.kind_name}",
                path=path_at(view, p), offset=p - data_start(view),
                value=PyBytes_FromStringAndSize(<const char *>p, n))
        return self.kind.load(self, view, p, n)


@cython.final
cdef class Table:
    """The compiled fields of one message class, by position, by name and by attribute number."""
    cdef readonly object cls
    cdef readonly tuple fields
    cdef readonly dict names
    cdef readonly dict types       # nlmsg_type (or generic command) -> the kernel's name
    cdef readonly Py_ssize_t header    # bytes of the fixed header, without padding at its end
    cdef readonly Py_ssize_t total     # sizeof the C struct
    cdef readonly Py_ssize_t align
    cdef readonly bint has_attributes
    cdef int top                   # highest attribute number, -1 without attributes
    cdef uint16_t *slots           # attribute number -> slot + 1, 0: unknown
    cdef Py_ssize_t start          # where attributes begin

    def __cinit__(self, message, Table base, list own):
        """Lay out `own` fields, in the order of declaration, after those of the base class."""
        cdef Field f
        cdef Py_ssize_t offset = base.total if base is not None else 0
        cdef list fields = list(base.fields) if base is not None else []
        cls = message
        if cls.__basicsize__ != View.__basicsize__:
            raise TypeError(f"{cls.__name__}: a message holds nothing but its bytes")
        netlink_untrack(cls)
        self.cls = cls
        self.align = base.align if base is not None else 1
        self.has_attributes = base is not None and base.has_attributes
        self.top = base.top if base is not None else -1
        self.types = {}
        tail = None
        for f in own:
            if f.type < 0:
                if self.has_attributes:
                    raise TypeError(f"{cls.__name__}.{f.name}: header members come before attributes")
                if tail is not None:
                    raise TypeError(f"{cls.__name__}.{tail}: only the last member can be open-ended")
                if not f.size:
                    tail = f.name
                offset = (offset + f.align - 1) // f.align * f.align
                f.offset = offset
                offset += f.size
                self.align = max(self.align, f.align)
            else:
                self.has_attributes = True
                self.top = max(self.top, f.type)
            f.slot = len(fields)
            fields.append(f)
        self.header = offset
        self.total = (offset + self.align - 1) // self.align * self.align
        self.start = align4(self.total)
        self.fields = tuple(fields)
        self.names = {f.name: f for f in fields if f.kind.load is not NULL and f.name[0] != "_"}
        self.slots = <uint16_t *>PyMem_Calloc(self.top + 2, sizeof(uint16_t))
        if self.slots == NULL:
            raise MemoryError
        for f in fields:
            f.start = self.start
            if f.type >= 0:
                if self.slots[f.type]:
                    raise TypeError(f"{cls.__name__}: {f.name} and "
                                    f"{fields[self.slots[f.type] - 1].name} have one number")
                self.slots[f.type] = <uint16_t>(f.slot + 1)

    def __dealloc__(self):
        PyMem_Free(self.slots)

    def __repr__(self):
        return f"<Table of {self.cls.__name__}: {len(self.fields)} fields>"

    cdef Field field(self, unsigned int type):
        """The field of an attribute number, or None."""
        if <int>type > self.top or not self.slots[type]:
            return None
        return <Field>self.fields[self.slots[type] - 1]


cdef Table table_of(object cls):
    return <Table?>cls.__table__


# --- views --------------------------------------------------------------------------------------

cdef enum:
    SCANS = 3  # reads by scanning, before a view makes an index of its attributes


@cython.no_gc
cdef class View:
    """A body of bytes seen through the fields of its class.

    It holds one `bytes` object and the view it was read from, so it can be in no cycle.
    """
    cdef bytes data            # the whole buffer
    cdef Py_ssize_t offset     # of the body in it
    cdef uint32_t length       # of the body
    cdef uint8_t envelope      # bytes before the body that are its message headers; 0: none
    cdef uint8_t scans
    cdef bint blind            # made to find the path of an error: not checked, has no path itself
    cdef uint32_t *index       # slot -> payload offset in the body, 0: absent
    cdef View parent

    def __dealloc__(self):
        PyMem_Free(self.index)

    def _encode(self, dict values):
        """Fill a new instance with the encoding of the given values."""
        cdef Table table = table_of(type(self))
        if self.data is not None:
            raise TypeError(f"a {type(self).__name__} cannot be changed: use replace()")
        self.data = encode(table, values)
        self.length = <uint32_t>PyBytes_GET_SIZE(self.data)

    @classmethod
    def from_bytes(cls, data, /):
        """A message from its body: any buffer object, without struct nlmsghdr.

        Raises DecodeError where the attributes are not framed rightly.
        """
        body_bytes = data if type(data) is bytes else bytes(memoryview(data))
        return new_view(table_of(cls), body_bytes, 0, len(body_bytes), 0, None)

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
        return _restore, (type(self), bytes(self), envelope)

    def detach(self):
        """The same message on bytes of its own, so that the receive buffer can go."""
        return _restore(*self.__reduce__()[1])

    @property
    def nlmsg_type(self):
        """The message type of the envelope; None for a message that was not received."""
        return envelope_of(self).nlmsg_type if self.envelope else None

    @property
    def nlmsg_flags(self):
        """The flags of the envelope (NLM_F_*); None for a message that was not received."""
        return envelope_of(self).nlmsg_flags if self.envelope else None

    @property
    def nlmsg_seq(self):
        """The sequence number of the envelope; None for a message that was not received."""
        return envelope_of(self).nlmsg_seq if self.envelope else None

    @property
    def nlmsg_pid(self):
        """The port of the envelope: whose request this answers; None for one not received."""
        return envelope_of(self).nlmsg_pid if self.envelope else None

    @property
    def nlmsg_name(self):
        """The kernel's name of the message type, such as "RTM_NEWLINK"; None without one."""
        if not self.envelope:
            return None
        key = envelope_of(self).nlmsg_type
        if self.envelope == NLMSG_HDRLEN + GENL_HDRLEN:
            key = (body(self) - GENL_HDRLEN)[0]
        return table_of(type(self)).types.get(key, str(key))

    def _items(self):
        """Each header member, then each attribute that is present and declared: (Field, value)."""
        cdef Table table = table_of(type(self))
        cdef Field f
        cdef const uint8_t *p
        cdef Py_ssize_t n
        cdef list result = []
        for f in table.names.values():
            if f.type < 0:
                result.append((f, f.value(self, p, n) if find(self, f, &p, &n) else f.missing))
        seen = set()
        for number, offset, length in self._walk():
            f = table.field(number & NLA_TYPE_MASK)
            if f is not None and f.slot not in seen:
                seen.add(f.slot)
                result.append((f, f.value(self, body(self) + <Py_ssize_t>offset, length)))
        return result

    def _walk(self):
        """Each attribute as (nla_type with its flags, payload's offset in the body, length)."""
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

    def _path(self, Py_ssize_t offset):
        """Where in the body an offset lies: "Link.linkinfo.data.id"."""
        return path_at(self, body(self) + offset)


cdef inline const uint8_t *data_start(View view) noexcept:
    return <const uint8_t *>PyBytes_AS_STRING(view.data)


cdef inline const uint8_t *body(View view) noexcept:
    return <const uint8_t *>PyBytes_AS_STRING(view.data) + view.offset


cdef inline Cursor attributes(View view, Py_ssize_t start) noexcept:
    """A cursor over the view's attributes."""
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


cdef View new_view(Table table, bytes data, Py_ssize_t offset, Py_ssize_t length,
                   int envelope, View parent):
    """A view of a part of `data` that the caller has checked to exist."""
    cdef View view = <View>netlink_new(table.cls, ())
    view.data = data
    view.offset = offset
    view.length = <uint32_t>length
    view.envelope = envelope
    view.parent = parent
    view.blind = parent is not None and parent.blind
    if table.has_attributes and not view.blind:
        check_attributes(table, view)
    return view


cdef int check_attributes(Table table, View view) except -1:
    """Refuse a body whose header is cut short or whose attributes are not framed rightly."""
    cdef nlattr header
    cdef Cursor c = attributes(view, table.start)
    if view.length < table.header:
        raise DecodeError(f"{view.length} bytes where the fixed header takes {table.header}",
                          path=path_at(view, NULL), offset=view.offset)
    while c.left > 0:
        if not attribute_ok(&c, &header):
            raise attribute_fault(&c, path_at(view, NULL), c.at - data_start(view))
        step(&c, header.nla_len)
    return 0


cdef bint find(View view, Field f, const uint8_t **p, Py_ssize_t *n) except -1:
    """The payload of a field in a view; false where it is not there."""
    cdef Cursor c
    cdef nlattr header
    cdef uint32_t at
    if f.type < 0:
        # A kernel older than the header file sends a shorter struct: its missing members are not
        # there, and read as None.
        if f.offset + f.size > view.length:
            return False
        p[0] = body(view) + f.offset
        n[0] = f.size if f.size else view.length - f.offset
        return True
    if view.index != NULL:
        at = view.index[f.slot]
        if not at:
            return False
        p[0] = body(view) + at
        memcpy(&header, p[0] - NLA_HDRLEN, NLA_HDRLEN)
        n[0] = header.nla_len - NLA_HDRLEN
        return True
    view.scans += 1
    if view.scans > SCANS:
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
    """Remember where each declared attribute is: the first of its number, as when scanning."""
    cdef Table table = table_of(type(view))
    cdef Cursor c = attributes(view, table.start)
    cdef nlattr header
    cdef int number
    cdef uint32_t *index = <uint32_t *>PyMem_Calloc(len(table.fields) + 1, sizeof(uint32_t))
    if index == NULL:
        raise MemoryError
    while attribute_ok(&c, &header):
        number = header.nla_type & NLA_TYPE_MASK
        if number <= table.top and table.slots[number] and not index[table.slots[number] - 1]:
            index[table.slots[number] - 1] = <uint32_t>(c.at + NLA_HDRLEN - body(view))
        step(&c, header.nla_len)
    view.index = index
    return 0


cdef str path_at(View view, const uint8_t *where):
    """The attribute path, from the outermost message down, to a place inside a view.

    Walks again from the top, as only errors ask: reading pays nothing for paths. It does so on
    blind views, since what it passes may be at fault. NULL means the view itself.
    """
    cdef View root = view
    cdef View again
    if view.blind:
        return None
    while root.parent is not None:
        root = root.parent
    again = <View>netlink_new(type(root), ())
    again.data, again.offset, again.length = root.data, root.offset, root.length
    again.blind = True
    names = [] if where == NULL and root is view else trail(
        again, view if where == NULL else None, body(view) if where == NULL else where)
    return ".".join([type(root).__name__, *names])


cdef list trail(View view, View stop, const uint8_t *target):
    """The names from a view down to the target, or to the view that starts there (stop)."""
    cdef Table table = table_of(type(view))
    cdef Cursor c = attributes(view, table.start)
    cdef nlattr header
    cdef Field f
    if target < c.at:
        for f in table.fields:
            if f.type < 0 and f.offset <= target - body(view) < f.offset + max(f.size, 1):
                return [f.name]
        return []
    while attribute_ok(&c, &header):
        if target < c.at + align4(header.nla_len):
            f = table.field(header.nla_type & NLA_TYPE_MASK)
            if f is None:
                return [f"#{header.nla_type & NLA_TYPE_MASK}"]
            return [f.name, *trail_below(f, view, c.at, header.nla_len, stop, target)]
        step(&c, header.nla_len)
    return []


cdef list trail_below(Field f, View owner, const uint8_t *at, Py_ssize_t length,
                      View stop, const uint8_t *target):
    """The rest of a trail inside one attribute: into the view there that covers the target."""
    cdef View child
    if f.kind.repeats:
        f = f.element
    if f.message is None and f.kind.load is not load_selected and f.element is None:
        return []
    try:
        value = f.kind.load(f, owner, at + NLA_HDRLEN, length - NLA_HDRLEN)
    except DecodeError:
        return []
    if isinstance(value, View):
        named = [("", value)]
    elif isinstance(value, dict):
        named = [(f"[{int(key)}]", item) for key, item in value.items()]
    else:
        named = [(f"[{i}]", item) for i, item in enumerate(value)]
    for name, item in named:
        if isinstance(item, View):
            child = item
            if body(child) <= target < body(child) + max(child.length, 1):
                if stop is not None and body(stop) == body(child) and type(stop) is type(child):
                    return [name] if name else []
                return ([name] if name else []) + trail(child, stop, target)
    return []


def _restore(cls, body_bytes, envelope):
    """Unpickle or detach a message."""
    return new_view(table_of(cls), envelope + body_bytes, len(envelope), len(body_bytes),
                    len(envelope), None)


# --- writing ------------------------------------------------------------------------------------

@cython.internal
@cython.final
cdef class Scope:
    """The arguments around a value being stored: what a selector may look at."""
    cdef Table table
    cdef dict values
    cdef Scope parent

    def __cinit__(self, Table table, dict values, Scope parent):
        self.table = table
        self.values = values
        self.parent = parent

    cdef object value(self, str name):
        """An argument, or what a message without it will read as."""
        cdef Field f
        found = self.values.get(name)
        if found is None:
            f = self.table.names[name]
            return 0 if f.type < 0 else f.missing
        return found


cdef object deeper(object error, str name):
    """Put one more step in front of an EncodeError's path."""
    if error.path is None:
        error.path = name
    else:
        error.path = f"{name}{'' if error.path.startswith('[') else '.'}{error.path}"
    return error


cdef bytes encode(Table table, dict values):
    """The body of a message; on an error nothing of it remains."""
    cdef uint8_t stack[512]
    cdef Buffer b
    b.data = stack
    b.used = 0
    b.size = sizeof(stack)
    b.heap = False
    try:
        put_body(table, &b, values, None)
        return PyBytes_FromStringAndSize(<const char *>b.data, b.used)
    except EncodeError as error:
        raise deeper(error, table.cls.__name__)
    finally:
        if b.heap:
            PyMem_Free(b.data)


cdef int put_body(Table table, Buffer *b, dict values, Scope parent) except -1:
    """Append a header and, in the order given, attributes. None means absent."""
    cdef Field f
    cdef PyObject *found
    cdef Scope scope = Scope(table, values, parent)
    cdef Py_ssize_t start = b.used
    cdef Py_ssize_t end
    put_zeros(b, table.start if table.has_attributes else table.total)
    for name, value in values.items():
        found = PyDict_GetItem(table.names, name)
        if found == NULL:
            raise unknown_argument(table, name)
        if value is None:
            continue
        f = <Field>found
        try:
            if f.type >= 0:
                put_field(f, b, f.type, value, scope)
            elif not f.size:  # the open end of a struct
                b.used = start + f.offset
                f.kind.store(f, b, value, scope)
            else:
                end = b.used
                b.used = start + f.offset
                f.kind.store(f, b, value, scope)
                b.used = end
        except EncodeError as error:
            raise deeper(error, f.name)
    return 0


cdef int put_field(Field f, Buffer *b, int number, object value, Scope scope) except -1:
    """Append one attribute (or those of a repeated one), unless its value says that it is absent."""
    cdef Py_ssize_t start
    if value is f.missing:
        return 0
    if f.kind.repeats:
        return f.kind.store(f, b, value, scope)
    start = open_attribute(b, number | NLA_F_NESTED if f.kind.is_nested else number)
    f.kind.store(f, b, value, scope)
    return close_attribute(b, start)


cdef object unknown_argument(Table table, object name):
    near = difflib.get_close_matches(str(name), table.names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return TypeError(f"{table.cls.__name__} has no field {name!r}{hint}")


def stamp(int type, int flags, unsigned int seq, unsigned int port, bytes payload not None):
    """A whole message: struct nlmsghdr (linux/netlink.h) in front of a payload."""
    cdef nlmsghdr header
    cdef Py_ssize_t size = NLMSG_HDRLEN + PyBytes_GET_SIZE(payload)
    cdef bytes result = PyBytes_FromStringAndSize(NULL, size)
    header.nlmsg_len = <uint32_t>size
    header.nlmsg_type = <uint16_t>type
    header.nlmsg_flags = <uint16_t>flags
    header.nlmsg_seq = seq
    header.nlmsg_pid = port
    memcpy(PyBytes_AS_STRING(result), &header, NLMSG_HDRLEN)
    memcpy(PyBytes_AS_STRING(result) + NLMSG_HDRLEN, PyBytes_AS_STRING(payload),
           PyBytes_GET_SIZE(payload))
    return result


# --- typed iteration ----------------------------------------------------------------------------

@cython.final
cdef class Messages:
    """An iterator over whole messages in a part of a bytes object.

    `classes` maps a message type to its message class; a message of another type comes as
    RawMessage. After a DecodeError the iteration goes on behind the message that it concerns, or
    ends where no next message can be found.
    """
    cdef bytes data
    cdef dict classes
    cdef Cursor at
    cdef int type          # of the message before, and
    cdef Table table       # its table: neighbours are mostly alike

    def __cinit__(self, data, dict classes not None, Py_ssize_t start=0, Py_ssize_t end=-1):
        self.data = data if type(data) is bytes else bytes(memoryview(data))
        if end < 0:
            end = PyBytes_GET_SIZE(self.data)
        if not 0 <= start <= end <= PyBytes_GET_SIZE(self.data):
            raise ValueError(f"{start} to {end} is not within the {len(self.data)} bytes given")
        self.classes = classes
        self.at.at = <const uint8_t *>PyBytes_AS_STRING(self.data) + start
        self.at.left = end - start
        self.type = -1

    def __iter__(self):
        return self

    def __next__(self):
        cdef nlmsghdr header
        cdef Py_ssize_t offset
        cdef PyObject *found
        if self.at.left <= 0:
            raise StopIteration
        offset = self.at.at - <const uint8_t *>PyBytes_AS_STRING(self.data)
        if not message_ok(&self.at, &header):
            fault = message_fault(&self.at, offset)
            self.at.left = 0
            raise fault
        step(&self.at, header.nlmsg_len)
        if header.nlmsg_type != self.type:
            found = PyDict_GetItem(self.classes, header.nlmsg_type)
            self.table = table_of(<object>found) if found != NULL else None
            self.type = header.nlmsg_type
        if self.table is None:
            return raw_message(PyMemoryView_FromObject(self.data), &header, offset)
        return new_view(self.table, self.data, offset + NLMSG_HDRLEN,
                        header.nlmsg_len - NLMSG_HDRLEN, NLMSG_HDRLEN, None)


# --- runs ---------------------------------------------------------------------------------------

cdef struct IndexEntry:  # one datagram of a receive, as netlink._nlsock packs it
    uint32_t offset
    uint32_t length
    uint32_t port
    uint32_t group
    int32_t nsid
    uint32_t flags

cdef enum:
    MSG_TRUNC = 0x20  # linux/socket.h


@cython.final
cdef class Run:
    """Neighbouring messages of one receive that concern the same request or the same group.

    `type` is 0 for ordinary messages and the type of a control message (NLMSG_ERROR, NLMSG_DONE
    and so on), which makes a run of its own. A datagram that another process sent (`port` is not
    0) is one run, unread, with `count` 0. `flags` holds every nlmsg_flags bit that occurs.
    """
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

    def __repr__(self):
        return (f"Run(type={self.type}, seq={self.seq}, count={self.count}, flags={self.flags:#x}, "
                f"port={self.port}, group={self.group}, {self.start}:{self.end})")


cdef Run new_run(bytes data, Py_ssize_t start, const IndexEntry *entry):
    cdef Run run = Run.__new__(Run)
    run.data = data
    run.start = start
    run.port = entry.port
    run.group = entry.group
    run.nsid = entry.nsid
    return run


def runs(bytes data not None, bytes index not None):
    """Sort the datagrams of one receive into runs: `(list of Run, first DecodeError or None)`.

    A datagram that is not framed rightly, or was cut short, ends at the fault; the datagrams
    after it are read all the same.
    """
    cdef IndexEntry entry
    cdef Cursor c
    cdef nlmsghdr header
    cdef Py_ssize_t i, offset
    cdef Run run = None
    cdef const uint8_t *base = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef list found = []
    fault = None
    if PyBytes_GET_SIZE(index) % sizeof(IndexEntry):
        raise ValueError(f"an index of {len(index)} bytes is no list of {sizeof(IndexEntry)}-byte rows")
    for i in range(PyBytes_GET_SIZE(index) // <Py_ssize_t>sizeof(IndexEntry)):
        memcpy(&entry, PyBytes_AS_STRING(index) + i * sizeof(IndexEntry), sizeof(IndexEntry))
        if <Py_ssize_t>entry.offset + <Py_ssize_t>entry.length > PyBytes_GET_SIZE(data):
            raise ValueError(f"datagram {i} ends outside of the {len(data)} bytes given")
        if entry.port:
            run = new_run(data, entry.offset, &entry)
            run.end = run.start + entry.length
            found.append(run)
            run = None
            continue
        if entry.flags & MSG_TRUNC and fault is None:
            fault = DecodeError("a datagram was cut short by the receive buffer",
                                offset=entry.offset)
        c.at = base + entry.offset
        c.left = entry.length
        while c.left > 0:
            offset = c.at - base
            if not message_ok(&c, &header):
                if fault is None:
                    fault = message_fault(&c, offset)
                run = None
                break
            if (run is None or header.nlmsg_type < NLMSG_MIN_TYPE or run.type
                    or run.group != entry.group or run.nsid != entry.nsid
                    or (run.seq != header.nlmsg_seq and not entry.group)
                    or align4(run.end) != offset):
                run = new_run(data, offset, &entry)
                run.type = header.nlmsg_type if header.nlmsg_type < NLMSG_MIN_TYPE else 0
                run.seq = header.nlmsg_seq
                found.append(run)
            run.end = offset + header.nlmsg_len
            run.flags |= header.nlmsg_flags
            run.count += 1
            step(&c, header.nlmsg_len)
    return found, fault
