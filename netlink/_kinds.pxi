# Kinds: how one value looks on the wire. _core.pyx includes this file.
#
# Each kind has one block with all its behaviour. Nothing here knows whole messages or families. A
# separate file keeps the kinds together, so that a new kind is one new block.

# --- encoding buffer ----------------------------------------------------------------------------

cdef struct Buffer:
    # A message under construction. It starts on the caller's stack and moves to the heap to grow.
    uint8_t *data
    Py_ssize_t used
    Py_ssize_t size
    bint heap
    bint nested  # the last stored payload is a list of attributes, which needs NLA_F_NESTED
    int deepest  # the depth of the deepest message so far


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
    """Begin an attribute and return its position for close_attribute.

    `type` may include flag bits.
    """
    cdef Py_ssize_t start = b.used
    cdef nlattr header
    header.nla_len = 0
    header.nla_type = <uint16_t>type
    put_bytes(b, &header, NLA_HDRLEN)
    b.nested = False
    return start


cdef inline int close_attribute(Buffer *b, Py_ssize_t start) except -1:
    """Complete the attribute's header and pad the payload.

    Only plain lists of attributes get NLA_F_NESTED. The kernel's strict checking requires it there
    and refuses it everywhere else, also on a struct that is followed by attributes (lib/nlattr.c).
    """
    cdef Py_ssize_t length = b.used - start
    cdef nlattr header
    if length > NLA_MAX_LEN:
        raise EncodeError(f"{length - NLA_HDRLEN} bytes exceed the limit of an attribute, "
                          f"{NLA_MAX_LEN - NLA_HDRLEN} bytes")
    memcpy(&header, b.data + start, NLA_HDRLEN)
    header.nla_len = <uint16_t>length
    if b.nested:
        header.nla_type |= NLA_F_NESTED
        b.nested = False
    memcpy(b.data + start, &header, NLA_HDRLEN)
    return put_zeros(b, align4(length) - length)


# --- columns under construction -------------------------------------------------------------------

cdef struct Heap:
    uint8_t *data
    Py_ssize_t used
    Py_ssize_t size

cdef struct Sink
ctypedef int (*append_function)(Sink *sink, const uint8_t *p, Py_ssize_t n) noexcept nogil

cdef struct Sink:
    # One column under construction. It holds the values without gaps and one validity bit per row.
    # If the lengths of values vary, it also holds the end of each value.
    append_function append
    Py_ssize_t width    # bytes of a value; 0: the lengths vary
    bint is_big
    Py_ssize_t rows
    Py_ssize_t nulls
    Heap values
    Heap valid
    Heap ends

cdef enum:
    FAULT = -1       # wrong framing, or wrong length of a value
    NO_MEMORY = -2


cdef int grow(Heap *heap, Py_ssize_t more) noexcept nogil:
    cdef Py_ssize_t size = heap.size if heap.size else 1024
    cdef uint8_t *data
    if heap.used + more <= heap.size:
        return 0
    while size < heap.used + more:
        size *= 2
    data = <uint8_t *>realloc(heap.data, size)
    if data == NULL:
        return NO_MEMORY
    heap.data = data
    heap.size = size
    return 0


cdef int put(Heap *heap, const void *data, Py_ssize_t length) noexcept nogil:
    if grow(heap, length):
        return NO_MEMORY
    if length:
        memcpy(heap.data + heap.used, data, length)
    heap.used += length
    return 0


cdef inline bint is_set(const uint8_t *p, Py_ssize_t n) noexcept nogil:
    """Return the value of a byte_flag: true if it has no payload, otherwise its byte."""
    return n == 0 or p[0] != 0


# The `append` functions of the kinds. A kind without one cannot be a column.

cdef int append_integer(Sink *sink, const uint8_t *p, Py_ssize_t n) noexcept nogil:
    cdef uint64_t value
    if n != sink.width:
        return FAULT
    value = get_integer(p, n, sink.is_big)
    if NETLINK_BIG_ENDIAN:
        value <<= 64 - 8 * n
    return put(&sink.values, &value, n)


cdef int append_unsigned(Sink *sink, const uint8_t *p, Py_ssize_t n) noexcept nogil:
    """Append an integer of variable width as 8 bytes."""
    cdef uint64_t value = get_integer(p, n, sink.is_big)
    if n not in (1, 2, 4, 8):
        return FAULT
    return put(&sink.values, &value, 8)


cdef int append_signed(Sink *sink, const uint8_t *p, Py_ssize_t n) noexcept nogil:
    cdef int64_t value
    if n not in (1, 2, 4, 8):
        return FAULT
    value = <int64_t>(get_integer(p, n, sink.is_big) << (64 - 8 * n)) >> (64 - 8 * n)
    return put(&sink.values, &value, 8)


cdef int append_flag(Sink *sink, const uint8_t *p, Py_ssize_t n) noexcept nogil:
    cdef uint8_t present = 1
    return FAULT if n else put(&sink.values, &present, 1)


cdef int append_byte_flag(Sink *sink, const uint8_t *p, Py_ssize_t n) noexcept nogil:
    cdef uint8_t value = is_set(p, n)
    return FAULT if n > 1 else put(&sink.values, &value, 1)


cdef int append_bytes(Sink *sink, const uint8_t *p, Py_ssize_t n) noexcept nogil:
    return put(&sink.values, p, n)


cdef int append_string(Sink *sink, const uint8_t *p, Py_ssize_t n) noexcept nogil:
    cdef const uint8_t *end = <const uint8_t *>memchr(p, 0, n)
    return put(&sink.values, p, end - p if end != NULL else n)


cdef int end_row(Sink *sink, bint valid) noexcept nogil:
    """Complete a row. If `valid`, a value was appended; otherwise the row is null."""
    cdef int64_t end
    cdef uint8_t none = 0
    if sink.rows % 8 == 0 and put(&sink.valid, &none, 1):
        return NO_MEMORY
    if valid:
        sink.valid.data[sink.rows // 8] |= <uint8_t>(1 << (sink.rows % 8))
    else:
        sink.nulls += 1
        if sink.width:
            if grow(&sink.values, sink.width):
                return NO_MEMORY
            memset(sink.values.data + sink.values.used, 0, sink.width)
            sink.values.used += sink.width
    sink.rows += 1
    if not sink.width:
        end = sink.values.used
        return put(&sink.ends, &end, 8)
    return 0


# --- kinds --------------------------------------------------------------------------------------
#
# A kind defines how one value looks on the wire. `check` returns the reason why a payload is
# invalid, or NULL. `load` creates the Python value and may rely on `check`. `store` appends the
# payload to a message. `append` adds the value to a column. `part` finds the element that covers a
# place in the payload, for the path of an error.
#
#   kind                          value                       on the wire
#   u8..u64 s8..s64 be16.. sbe16..  int, or a member of `enum`  exactly that many bytes
#   uint sint                     int                         4 or 8 bytes, as the sender chooses
#   flag                          bool                        presence, no payload
#   byte_flag                     bool                        written as a flag; read as 0 or 1 too
#   string                        str                         UTF-8 up to the first NUL
#   pairs                         dict of str                 NUL-terminated texts KEY=VALUE
#   binary                        bytes                       the bytes, unchanged
#   pad                           -                           header bytes without a meaning
#   address                       IPv4Address, IPv6Address    4 or 16 bytes; other lengths: bytes
#   labels                        tuple of ints               an MPLS label stack
#   mac                           str "aa:bb:..."             any length
#   lladdr                        str, or an IP address       a mac; IP if 4 or 16 bytes
#   bitfield32                    Bitfield32                  struct nla_bitfield32
#   struct                        View without attributes     a C struct; may be longer or shorter
#   nest                          View                        optional header, then attributes
#   selected                      any, or bytes               a class or a kind that a field chooses
#   scalars                       tuple                       a C array of one fixed-size kind
#   array                         tuple                       attributes whose types are positions
#   mapping                       dict                        attributes whose types are keys
#   repeated                      tuple                       the same attribute several times
#   records                       tuple of Views              structs with a u16 length (rtnexthop)

ctypedef const char *(*check_function)(Field f, const uint8_t *p, Py_ssize_t n) noexcept
ctypedef object (*load_function)(Field f, View owner, const uint8_t *p, Py_ssize_t n)
ctypedef int (*store_function)(Field f, Buffer *b, object value, Scope scope) except -1
ctypedef bint (*part_function)(Field f, const uint8_t *p, Py_ssize_t n, const uint8_t *target,
                               Py_ssize_t *place, Cursor *part) noexcept

cdef struct Kind:
    const char *name
    check_function check
    load_function load
    store_function store
    append_function append  # NULL: the kind cannot be a column
    part_function part      # NULL: the payload has no parts with a place of their own
    Py_ssize_t size   # bytes of the payload if fixed, otherwise 0
    Py_ssize_t width  # bytes of a value in a column if fixed, otherwise 0
    bint is_signed
    bint is_big
    bint repeats     # `store` also writes the attribute headers: of several attributes, or none

cdef enum:
    MAX_KINDS = 48

cdef Kind KINDS[MAX_KINDS]
cdef dict KIND_NUMBERS = {}


cdef Kind *define_kind(const char *name, check_function check, load_function load,
                       store_function store, append_function append=NULL,
                       Py_ssize_t size=0, Py_ssize_t width=0) except NULL:
    cdef Py_ssize_t number = len(KIND_NUMBERS)
    cdef Kind *kind = &KINDS[number]
    kind.name = name
    kind.check = check
    kind.load = load
    kind.store = store
    kind.append = append
    kind.size = size
    kind.width = width
    KIND_NUMBERS[name.decode()] = number
    return kind


cdef const char *check_any(Field f, const uint8_t *p, Py_ssize_t n) noexcept:
    return NULL


# Integers of fixed and of variable width.

cdef inline uint64_t swap(uint64_t value, Py_ssize_t size) noexcept nogil:
    cdef uint64_t result = 0
    for _ in range(size):
        result = (result << 8) | (value & 0xFF)
        value >>= 8
    return result


cdef inline uint64_t get_integer(const uint8_t *p, Py_ssize_t size, bint big) noexcept nogil:
    """Return the unsigned integer of 1, 2, 4 or 8 bytes at p; 0 for any other size."""
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
    """Append the low `size` bytes of `value`."""
    cdef uint8_t data[8]
    cdef uint64_t v = value
    cdef Py_ssize_t i
    if not big and not NETLINK_BIG_ENDIAN:
        return put_bytes(b, &v, size)
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
    return integer(f, get_integer(p, n, f.kind.is_big), n)


cdef object integer(Field f, uint64_t raw, Py_ssize_t n):
    """Return the Python value of n bytes whose byte order was already converted."""
    cdef int64_t value
    if f.kind.is_signed:
        value = <int64_t>(raw << (64 - 8 * n)) >> (64 - 8 * n)
        return open_enum(f, value) if f.enum is not None else value
    return open_enum(f, raw) if f.enum is not None else raw


cdef object open_enum(Field f, object value):
    """Return the enum's member or the KernelNumber; the plain int if an IntEnum has no member."""
    cdef PyObject *known = PyDict_GetItem(f.members, value)
    if known != NULL:
        return <object>known
    if f.is_text:
        return f.enum(value)
    return new_flags(f, value) if f.is_flags else value


cdef object new_flags(Field f, object value):
    """Return a combination of flags that was not read before, or not lately."""
    try:
        made = f.enum(value)
    except ValueError:  # the class refuses unknown bits
        return value
    forget_values(f.enum)
    return made if made == value else value


cdef int store_integer(Field f, Buffer *b, object value, Scope scope) except -1:
    cdef Py_ssize_t size = f.kind.size
    cdef uint64_t raw = as_integer(f, value, size if size else 8)
    if not size:
        size = 4 if fits_four(f.kind.is_signed, raw) else 8
    return put_integer(b, raw, size, f.kind.is_big)


cdef bint fits_four(bint is_signed, uint64_t raw) noexcept:
    if is_signed:
        return <int64_t>raw == <int32_t>raw
    return raw <= <uint64_t>0xFFFFFFFF


cdef uint64_t as_integer(Field f, object value, Py_ssize_t size) except? 0xFFFFFFFFFFFFFFFF:
    """Return an int, or the number of a name, as two's complement; it must fit `size` bytes."""
    cdef int64_t low
    cdef uint64_t high
    cdef int bits = 8 * <int>size
    cdef int overflow = 0
    if isinstance(value, int):
        # Many attributes of one byte mean yes or no. Elsewhere a bool is a mistake.
        if (value is True or value is False) and (size > 1 or f.enum is not None):
            raise EncodeError(f"expected {wanted(f)}, not bool", value=value)
        low = PyLong_AsLongLongAndOverflow(value, &overflow)
        if not overflow and 0 <= low < <int64_t>1 << (bits - 1):  # the common case
            return <uint64_t>low
    else:
        value = named(f, value)
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
    raise EncodeError(f"{shown(value)} is out of range: use {least} to {most}", value=value)


cdef object named(Field f, object value):
    """Return the number of a name of the field's enum, or of several names of flags."""
    if f.is_text:
        if isinstance(value, str):
            return f.enum.from_text(value)
        raise EncodeError(f"expected an int or text, not {type(value).__name__}", value=value)
    if f.enum is not None and isinstance(value, (str, list, tuple, set, frozenset)):
        try:
            return value_of(f.enum, value)
        except ValueError as error:
            raise EncodeError(str(error), value=value) from None
    raise EncodeError(f"expected {wanted(f)}, not {type(value).__name__}", value=value)


cdef str wanted(Field f):
    return "an int" if f.enum is None else f"an int or a name of {f.enum.__name__}"


cdef int define_integer(const char *name, Py_ssize_t size, bint is_signed, bint is_big) except -1:
    cdef Kind *kind
    if size:
        kind = define_kind(name, check_integer, load_integer, store_integer,
                           append_integer, size, size)
    else:
        kind = define_kind(name, check_variable_integer, load_integer, store_integer,
                           append_signed if is_signed else append_unsigned, 0, 8)
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


# Flag: presence means True. Byte_flag: the kernel accepts it as a flag, but sends it as a byte.

cdef const char *check_flag(Field f, const uint8_t *p, Py_ssize_t n) noexcept:
    if n:
        return b"a flag has no payload"
    return NULL


cdef const char *check_byte_flag(Field f, const uint8_t *p, Py_ssize_t n) noexcept:
    if n > 1:
        return b"a flag has no payload, or a byte"
    return NULL


cdef object load_flag(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    return bool(is_set(p, n))


cdef int store_flag(Field f, Buffer *b, object value, Scope scope) except -1:
    if value is not True:  # False means "absent" and is never stored
        raise EncodeError(f"expected True or False, not {quoted(value)}", value=value)
    return 0


define_kind(b"flag", check_flag, load_flag, store_flag, append_flag, 0, 1)
define_kind(b"byte_flag", check_byte_flag, load_flag, store_flag, append_byte_flag, 0, 1)


# String: the kernel sends most strings with a NUL at the end, and accepts them with or without it.

cdef object load_string(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    cdef const uint8_t *end = <const uint8_t *>memchr(p, 0, n)
    return PyUnicode_DecodeUTF8(<const char *>p, end - p if end != NULL else n, "surrogateescape")


cdef int store_string(Field f, Buffer *b, object value, Scope scope) except -1:
    cdef Py_ssize_t length = 0
    cdef const char *text = netlink_utf8(value, &length) if isinstance(value, str) else NULL
    if text == NULL:
        value = encoded(value)
        text, length = PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)
    if memchr(text, 0, length) != NULL:
        raise EncodeError(f"{quoted(value)} contains a NUL, which ends a string: remove it", value=value)
    if f.size and length >= f.size:
        raise EncodeError(f"{length} bytes exceed the limit of {f.size - 1}", value=value)
    put_bytes(b, text, length)
    return put_zeros(b, 0 if f.without_nul else 1)


cdef bytes encoded(object value):
    """Return text as bytes. Surrogates U+DC80 to U+DCFF represent bytes that are not UTF-8."""
    if isinstance(value, str):
        try:
            value = value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise EncodeError(f"{quoted(value)} cannot be encoded as UTF-8: {error.reason}",
                              value=value) from None
    elif not isinstance(value, bytes):
        raise EncodeError(f"expected a str, not {type(value).__name__}", value=value)
    return value if type(value) is bytes else bytes(value)


define_kind(b"string", check_any, load_string, store_string, append_string)


# Pairs: texts KEY=VALUE, each with a NUL at the end, as in a uevent (lib/kobject_uevent.c). A text
# without "=" has the key "". If a key occurs twice, the first value is used.

cdef object load_pairs(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    cdef const uint8_t *end
    cdef Py_ssize_t length
    cdef dict found = {}
    while n > 0:
        end = <const uint8_t *>memchr(p, 0, n)
        length = end - p if end != NULL else n
        text = PyUnicode_DecodeUTF8(<const char *>p, length, "surrogateescape")
        key, equals, value = text.partition("=")
        if equals:
            found.setdefault(key, value)
        else:
            found.setdefault("", key)
        p += length + 1
        n -= length + 1
    return found


cdef int store_pairs(Field f, Buffer *b, object value, Scope scope) except -1:
    cdef bytes text
    if not isinstance(value, dict):
        raise EncodeError(f"expected a dict, not {type(value).__name__}", value=value)
    for key, item in value.items():
        if not isinstance(key, str) or "=" in key:
            raise EncodeError(f"{quoted(key)} is not a key: use a str without '='", value=key)
        try:
            text = encoded(f"{key}={item}" if key and isinstance(item, str) else item)
            if b"\0" in text or not key and b"=" in text:
                raise EncodeError(f"{quoted(item)} must not contain a NUL, nor '=' if it has no key",
                                  value=item)
        except EncodeError as error:
            raise deeper(error, f"[{quoted(key)}]")
        put_bytes(b, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
        put_zeros(b, 1)
    return 0


define_kind(b"pairs", check_any, load_pairs, store_pairs, append_bytes)


# Binary: bytes, unchanged. Pad: header bytes without a value.

cdef object load_binary(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    return PyBytes_FromStringAndSize(<const char *>p, n)


cdef int store_binary(Field f, Buffer *b, object value, Scope scope) except -1:
    if isinstance(value, str) or not PyObject_CheckBuffer(value):
        raise EncodeError(f"expected bytes, not {type(value).__name__}", value=value)
    data = bytes(value)
    if f.size and PyBytes_GET_SIZE(data) > f.size:
        raise EncodeError(f"{len(data)} bytes exceed the limit of {f.size}", value=value)
    return put_bytes(b, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


define_kind(b"binary", check_any, load_binary, store_binary, append_bytes)
define_kind(b"pad", check_any, load_binary, store_binary)


# Address: the length determines whether it is IPv4 or IPv6. The width that an attribute accepts is
# declared, or follows from the address family. The kernel silently truncates a longer address.

cdef enum:  # linux/socket.h, linux/rtnetlink.h, linux/if_ether.h
    AF_INET = 2
    AF_INET6 = 10
    AF_MPLS = 28
    RTNL_FAMILY_IPMR = 128
    RTNL_FAMILY_IP6MR = 129
    ETH_P_IP = 0x0800
    ETH_P_IPV6 = 0x86DD

cdef inline bint is_ipv4(uint8_t family) noexcept nogil:
    """Return whether an address family has IPv4 addresses."""
    return family == AF_INET or family == RTNL_FAMILY_IPMR


cdef enum:
    LABELS = -2  # the width of an address that is an MPLS label stack

cdef object V4 = ipaddress.IPv4Address
cdef object V6 = ipaddress.IPv6Address
cdef object V4_INTERFACE = ipaddress.IPv4Interface
cdef object V6_INTERFACE = ipaddress.IPv6Interface
cdef object V4_IP = None     # slot descriptors; None if the classes are not built as expected
cdef object V6_IP = None
cdef object V6_SCOPE = None


# Addresses never change, and many messages have the same ones: gateways, for example. An address
# that was made lately is returned again. Each has one place, by a hash of its value.
cdef PyObject *recent_v4[256]
cdef uint32_t recent_v4_values[256]


cdef object fast_v4(uint32_t value):
    """Return an IPv4Address without calling its constructor, which takes ten times as long."""
    cdef size_t slot = <uint32_t>(value * 2654435761u) >> 24
    cdef PyObject *old = recent_v4[slot]
    if old != NULL and recent_v4_values[slot] == value:
        return <object>old
    address = netlink_new(V4, ())
    netlink_set(V4_IP, address, value)
    recent_v4_values[slot] = value
    Py_INCREF(address)
    old = recent_v4[slot]  # again, because the calls above may have run other code
    recent_v4[slot] = <PyObject *>address
    Py_XDECREF(old)
    return address


cdef object fast_v6(object value):
    address = netlink_new(V6, ())
    netlink_set(V6_IP, address, value)
    netlink_set(V6_SCOPE, address, None)
    return address


def _try_fast_addresses():
    """Use the slots of the address classes if the result equals that of the constructors."""
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
    if f.or_labels and owner.length and body(owner)[0] == AF_MPLS:
        return load_labels(f, owner, p, n)
    return load_ip(p, n)


cdef inline object load_ip(const uint8_t *p, Py_ssize_t n):
    """Return an address of 4 or 16 bytes; other lengths stay bytes."""
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


cdef bint read_v4(const char *at, Py_ssize_t length, uint32_t *address) noexcept:
    """Parse four decimal numbers with dots; false if the text is anything else.

    This takes a tenth of the time of ipaddress, which handles all other text.
    """
    cdef const char *end = at + length
    cdef uint32_t part, result = 0
    cdef int parts = 0, digits
    while True:
        part = digits = 0
        while at < end and c"0" <= at[0] <= c"9" and digits < 3:
            if digits and not part:
                return False  # some programs read a leading zero as octal; ipaddress refuses it
            part = part * 10 + <uint32_t>(at[0] - c"0")
            digits += 1
            at += 1
        if not digits or part > 255:
            return False
        result = result << 8 | part
        parts += 1
        if parts == 4:
            address[0] = result
            return at == end
        if at == end or at[0] != c".":
            return False
        at += 1


cdef int store_address(Field f, Buffer *b, object value, Scope scope) except -1:
    cdef uint32_t four = 0
    cdef Py_ssize_t length = 0
    cdef const char *text
    cdef Py_ssize_t width = f.size
    if f.by_family and scope is not None:
        width = scope.width(f)
        if f.is_union and width != 4:
            width = 16  # without AF_INET it could not be read again
        elif width == LABELS:
            width = 0
            if f.or_labels:
                if isinstance(value, (int, tuple, list, bytes)):
                    return store_labels(f, b, value, scope)
                raise EncodeError(f"the family AF_MPLS has labels, such as (100,), and not {shown(value)}",
                                  value=value)
    if isinstance(value, str):
        text = netlink_utf8(value, &length)
        if text != NULL and width != 16 and read_v4(text, length, &four):
            return put_integer(b, four, 4, True)
        value = ip_of(value)
    if isinstance(value, (V4, V6)):
        if type(value) is V4 and V4_IP is not None and width != 16:
            return put_integer(b, <uint32_t>value._ip, 4, True)
        packed = packed_ip(value)
        if width and PyBytes_GET_SIZE(packed) != width and f.mapped and value.version == 6:
            mapped = value.ipv4_mapped
            packed = packed if mapped is None else mapped.packed
    elif isinstance(value, bytes):
        packed = bytes(value)
    elif f.or_labels and isinstance(value, (tuple, list)):
        raise EncodeError("MPLS labels are for messages of the family AF_MPLS", value=value)
    else:
        raise EncodeError(f"expected an IP address, not {type(value).__name__}", value=value)
    if width and PyBytes_GET_SIZE(packed) != width:
        raise wrong_width(f, value, width, scope)
    return put_bytes(b, PyBytes_AS_STRING(packed), PyBytes_GET_SIZE(packed))


cdef object ip_of(object text):
    """Return the IP address in a text."""
    try:
        return ipaddress.ip_address(PyUnicode_FromObject(text))
    except ValueError:
        raise EncodeError(f"{quoted(text)} is not an IP address", value=text) from None


cdef bytes packed_ip(object value):
    """Return the bytes of an address object. A prefix length or a zone is an EncodeError."""
    if isinstance(value, (V4_INTERFACE, V6_INTERFACE)):
        raise EncodeError(f"{shown(value)} has a prefix length: pass its .ip, and pass the prefix length "
                          "in its own field", value=value)
    if value.version == 6 and value.scope_id is not None:
        raise EncodeError(f"{shown(value)} has a zone, which the attribute cannot hold: remove it, and "
                          "pass the link in its own field", value=value)
    return value.packed


cdef object wrong_width(Field f, object value, Py_ssize_t width, Scope scope):
    """Return the EncodeError for an address that does not have the width of the attribute."""
    if f.by_family:
        return EncodeError(f"{shown(value)} does not belong to the address family of the message, "
                           f"{scope.family(f)}", value=value)
    return EncodeError(f"{shown(value)} is not an {'IPv4' if width == 4 else 'IPv6'} address: "
                       "the attribute accepts no other", value=value)


cdef Py_ssize_t width_of(object family) except -1:
    """Return the bytes of an address in an address family or EtherType.

    Returns LABELS if it is an MPLS label stack, and 0 for any other value.
    """
    cdef int overflow = 0
    cdef int64_t number
    if not isinstance(family, int):
        return 0
    number = PyLong_AsLongLongAndOverflow(family, &overflow)
    if number == AF_INET or number == RTNL_FAMILY_IPMR or number == ETH_P_IP:
        return 4
    if number == AF_INET6 or number == RTNL_FAMILY_IP6MR or number == ETH_P_IPV6:
        return 16
    return LABELS if number == AF_MPLS else 0


define_kind(b"address", check_any, load_address, store_address, append_bytes)


# Labels: an MPLS label stack in the format of routes. Each entry has a label of 20 bits and the
# bottom-of-stack bit (linux/mpls.h). If an entry has more, such as a TTL, the value is bytes.

cdef enum:
    MPLS_LS_S_MASK = 0x100


cdef object load_labels(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    cdef Py_ssize_t i
    cdef uint32_t entry
    cdef list found = []
    for i in range(n // 4):
        entry = <uint32_t>get_integer(p + 4 * i, 4, True)
        if entry & 0xFFF != (MPLS_LS_S_MASK if 4 * i + 4 == n else 0):
            break
        found.append(entry >> 12)
    if 4 * len(found) != n:
        return PyBytes_FromStringAndSize(<const char *>p, n)
    return tuple(found)


cdef int store_labels(Field f, Buffer *b, object value, Scope scope) except -1:
    if isinstance(value, bytes):
        return put_bytes(b, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    labels = (value,) if isinstance(value, int) else tuple(items_of(value))
    for position, label in enumerate(labels, 1):
        if not isinstance(label, int) or not 0 <= label < 1 << 20:
            raise EncodeError(f"{quoted(label)} is not an MPLS label: use an int from 0 to "
                              f"{(1 << 20) - 1}", value=value)
        put_integer(b, label << 12 | (MPLS_LS_S_MASK if position == len(labels) else 0), 4, True)
    return 0


define_kind(b"labels", check_any, load_labels, store_labels, append_bytes)


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


cdef int hex_digit(char c) noexcept:
    """Return the value of a hexadecimal digit, or -1."""
    if c"0" <= c <= c"9":
        return c - c"0"
    c |= 0x20
    return c - c"a" + 10 if c"a" <= c <= c"f" else -1


cdef bytes read_mac(object text):
    """Return the bytes of hexadecimal pairs with ":" or "-" between them; None for other text."""
    cdef Py_ssize_t length = 0
    cdef Py_ssize_t i
    cdef int high, low
    cdef const char *at = netlink_utf8(text, &length)
    cdef char *result
    if at == NULL or (length and length % 3 != 2):
        return None
    cdef bytes found = PyBytes_FromStringAndSize(NULL, (length + 1) // 3)
    result = PyBytes_AS_STRING(found)
    for i in range((length + 1) // 3):
        high, low = hex_digit(at[3 * i]), hex_digit(at[3 * i + 1])
        if high < 0 or low < 0 or (3 * i + 2 < length and at[3 * i + 2] not in (c":", c"-")):
            return None
        result[i] = <char>(high << 4 | low)
    return found


cdef int put_mac(Field f, Buffer *b, bytes data, object value) except -1:
    if f.size and PyBytes_GET_SIZE(data) > f.size:
        raise EncodeError(f"{len(data)} bytes exceed the limit of {f.size}", value=value)
    return put_bytes(b, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


cdef int store_mac(Field f, Buffer *b, object value, Scope scope) except -1:
    cdef bytes data
    if isinstance(value, bytes):
        data = bytes(value)
    elif isinstance(value, str):
        data = read_mac(value)
        if data is None:
            raise EncodeError(f"{quoted(value)} is not a link-layer address like '02:00:00:00:00:01'",
                              value=value)
    else:
        raise EncodeError(f"expected a str, not {type(value).__name__}", value=value)
    return put_mac(f, b, data, value)


define_kind(b"mac", check_any, load_mac, store_mac, append_bytes)


# Lladdr: the link-layer address of any link. For an IP tunnel this is an IP address, recognised by
# its length, 4 or 16 bytes. Only FireWire also has addresses of such a length (ARPHRD_IEEE1394).

cdef object load_lladdr(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    return load_ip(p, n) if n in (4, 16) else load_mac(f, owner, p, n)


cdef int store_lladdr(Field f, Buffer *b, object value, Scope scope) except -1:
    cdef bytes data = None
    if isinstance(value, str):
        data = read_mac(value)
        if data is None:
            data = ip_in_text(value)
        if data is None:
            raise EncodeError(f"{quoted(value)} is neither a link-layer address like '02:00:00:00:00:01' "
                              "nor an IP address", value=value)
    elif isinstance(value, (V4, V6)):
        data = packed_ip(value)
    elif isinstance(value, bytes):
        data = bytes(value)
    else:
        raise EncodeError(f"expected a str or an IP address, not {type(value).__name__}",
                          value=value)
    return put_mac(f, b, data, value)


cdef bytes ip_in_text(object text):
    """Return the bytes of an IP address; None if it is not one, or may be a link-layer address.

    ip(8) reads "2:0:0:0:0:0:0:1" as eight bytes, so this does not read it as an IPv6 address.
    """
    if ":" in text and "::" not in text and all([len(part) <= 2 for part in text.split(":")]):
        return None
    try:
        found = ipaddress.ip_address(PyUnicode_FromObject(text))
    except ValueError:
        return None
    return packed_ip(found)


define_kind(b"lladdr", check_any, load_lladdr, store_lladdr, append_bytes)


# Bitfield32: bits, and the mask of the bits that are valid (struct nla_bitfield32).

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
        raise EncodeError(f"{quoted(value)} is not a Bitfield32: expected a pair (value, selector)",
                          value=value) from None
    put_integer(b, as_integer(f, bits, 4), 4, NETLINK_BIG_ENDIAN)
    return put_integer(b, as_integer(f, selector, 4), 4, NETLINK_BIG_ENDIAN)


define_kind(b"bitfield32", check_bitfield32, load_bitfield32, store_bitfield32, append_bytes, 8)


# Struct and nest: a View of the target class.

cdef object load_view(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    return new_view(f.resolve(), owner.data, p - data_start(owner), n, 0, owner)


cdef int store_view(Field f, Buffer *b, object value, Scope scope) except -1:
    return put_view(f.resolve(), b, value, scope)


cdef int put_view(Table table, Buffer *b, object value, Scope scope) except -1:
    """Append a body, given as an instance of the class or as a dict of its arguments."""
    cdef View view
    cdef Py_ssize_t start
    cdef int depth
    if isinstance(value, dict):
        put_fields(table, b, value if type(value) is dict else dict(value), scope)
        b.nested = table.has_attributes and not table.header
        return 0
    if not netlink_is(value, table.cls):
        raise not_a(table, value)
    view = <View>value
    depth = scope.depth + 1 + height_of(view)
    if depth > MAX_NESTING:
        raise EncodeError(TOO_DEEP)
    if depth > b.deepest:
        b.deepest = depth
    check_families(table_of(type(view)), view, scope)
    start = b.used
    put_bytes(b, body(view), view.length)
    if table.counted:
        outer_counts(table, b, start, view, scope)
    b.nested = table.has_attributes and not table.header
    return 0


cdef int put_outer_counts(Table table, Buffer *b, Py_ssize_t start, View view,
                          Scope scope) except -1:
    cdef Field f
    for f in table.counted:
        put_outer_count(f, b, start, view, scope)
    return 0


# By a pointer, so that the compiler does not make it a part of put_view(), which calls itself for
# each level: its variables would take much of the C stack.
cdef int (*outer_counts)(Table, Buffer *, Py_ssize_t, View, Scope) except -1
outer_counts = put_outer_counts


cdef int put_outer_count(Field f, Buffer *b, Py_ssize_t start, View view, Scope scope) except -1:
    """Write a number of a message that was copied, if it counts a list of the message around it and
    is 0; otherwise refuse it, if it does not fit."""
    cdef Scope holder = scope
    cdef PyObject *found
    cdef Py_ssize_t end = b.used
    if not f.counts_climb or f.type >= 0 or f.offset + f.size > end - start:
        return 0
    for _ in range(f.counts_climb - 1):
        holder = holder.parent
        if holder is None:
            return 0
    found = holder.argument(f.counts)
    listed = <object>found if found != NULL else None
    if listed is None:
        return 0
    given = int(getattr(view, f.name))
    counted = given & f.count_mask if f.count_mask else given
    count = len(listed) * f.times
    if counted == count:
        return 0
    try:
        if counted:
            raise unfit_count(f, counted, count)
        b.used = start + f.offset
        f.kind.store(f, b, given | count, scope)
        b.used = end
    except EncodeError as error:
        raise deeper(error, f.name)
    return 0


define_kind(b"struct", check_any, load_view, store_view)
define_kind(b"nest", check_any, load_view, store_view)


# Selected: a sibling field, or a sibling of a parent, determines the type of the value. The choices
# are message classes and plain kinds (fields without a number). The value is bytes if no choice
# matches, or if it is invalid for the plain kind that matches.

cdef object load_selected(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    cdef Field plain
    choice = chosen(f, selector_read(f, owner))
    if choice is None:
        return PyBytes_FromStringAndSize(<const char *>p, n)
    if isinstance(choice, Field):
        plain = plain_choice(choice)
        if plain.kind.check(plain, p, n) != NULL:
            return PyBytes_FromStringAndSize(<const char *>p, n)
        return plain.kind.load(plain, owner, p, n)
    return new_view(table_of(choice), owner.data, p - data_start(owner), n, 0, owner)


cdef int store_selected(Field f, Buffer *b, object value, Scope scope) except -1:
    cdef Field plain
    if isinstance(value, bytes):
        return put_bytes(b, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    key = selector_value(f, scope)
    choice = chosen(f, key)
    if isinstance(choice, Field):
        plain = plain_choice(choice)
        return plain.kind.store(plain, b, value, scope)
    if choice is not None:
        return put_view(table_of(choice), b, value, scope)
    if isinstance(value, View):
        return put_view(table_of(type(value)), b, value, scope)
    raise no_choice(f, key, value)


cdef object no_choice(Field f, object key, object value):
    return EncodeError(f"no type is declared for {f.selector} {quoted(key)}: pass bytes, or use "
                       f"one of {', '.join(map(str, f.choices))}", value=value)


cdef Field plain_choice(Field choice):
    """Return a choice that is a field, if it is one of a plain kind.

    It must not choose again: choices may be added later, and could lead back to themselves.
    """
    if choice.has_choices or choice.kind.repeats:
        raise TypeError(f"{choice!r} cannot be a choice of a selector: use a message class, or a "
                        "plain kind such as u32()")
    return choice


cdef object missing_choice(Field f, View owner):
    """Return the value of an absent attribute: False if its selected kind is a flag."""
    choice = chosen(f, selector_read(f, owner))
    return (<Field>choice).missing if isinstance(choice, Field) else None


cdef object chosen(Field f, object key):
    """Return the choice for a selector's value, or None."""
    try:
        if type(f.choices) is dict:
            return (<dict>f.choices).get(key)
        return f.choices.get(key)
    except TypeError:  # not hashable, so it cannot be the value of a field
        return None


cdef object selector_read(Field f, View owner):
    """Return the value of the field that a selector names, in a message; None if absent."""
    cdef View holder = owner
    for _ in range(f.climb):
        holder = holder.parent
        if holder is None:
            return None
    return follow(holder, f.way)


cdef object selector_value(Field f, Scope scope):
    """Return the value of the field that a selector names, in a message that is being written."""
    cdef Scope holder = scope
    for _ in range(f.climb):
        holder = holder.parent if holder is not None else None
    return holder.value(f.way) if holder is not None else None


cdef object follow(object value, tuple names):
    """Follow a path of field names in a message, or in a dict of arguments; None if absent."""
    for name in names:
        if isinstance(value, dict):
            value = value.get(name)
        elif type(value) is not View and isinstance(value, View) and (
                name in table_of(type(value)).by_name):
            value = getattr(value, name)
        else:
            return None
    return value


define_kind(b"selected", check_any, load_selected, store_selected)


# Scalars: a C array of one fixed-size kind.

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
    cdef Py_ssize_t at
    for position, item in enumerate(items_of(value)):
        at = b.used
        try:
            f.element.kind.store(f.element, b, item, scope)
            if b.used - at != f.element.size:
                raise EncodeError(f"{b.used - at} bytes instead of {f.element.size}", value=item)
        except EncodeError as error:
            raise deeper(error, f"[{position}]")
    if f.size and b.used - start > f.size:
        raise EncodeError(f"{(b.used - start) // f.element.size} elements exceed the limit of "
                          f"{f.size // f.element.size}", value=value)
    return 0


cdef object items_of(object value):
    """Return an iterator over a sequence. Text, bytes, a dict or a message is refused."""
    if not isinstance(value, (str, bytes, bytearray, memoryview, dict, View)):
        try:
            return iter(value)
        except TypeError:
            pass
    raise EncodeError(f"expected a sequence, such as a list, not {type(value).__name__}",
                      value=value)


define_kind(b"scalars", check_scalars, load_scalars, store_scalars, append_bytes)


# Array and mapping: attributes inside the attribute. Their types are positions or keys.

cdef object load_array(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    cdef list found = []
    load_elements(f, owner, p, n, found, None)
    return tuple(found)


cdef object load_mapping(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    cdef dict found = {}
    load_elements(f, owner, p, n, None, found)
    return found


cdef int load_elements(Field f, View owner, const uint8_t *p, Py_ssize_t n, list values,
                       dict keyed) except -1:
    """Add the values of a list of attributes to one of the two containers; the other is None."""
    cdef Cursor c = Cursor(p, n)
    cdef nlattr header
    while c.left > 0:
        if not attribute_ok(&c, &header):
            raise attribute_fault(&c, place_of(owner, c.at), c.at - data_start(owner))
        value = f.element.value(owner, c.at + NLA_HDRLEN, header.nla_len - NLA_HDRLEN)
        if values is not None:
            values.append(value)
        else:
            key = header.nla_type & NLA_TYPE_MASK
            keyed[open_enum(f, key) if f.enum is not None else key] = value
        step(&c, header.nla_len)
    return 0


cdef bint array_part(Field f, const uint8_t *p, Py_ssize_t n, const uint8_t *target,
                     Py_ssize_t *place, Cursor *part) noexcept:
    place[0] = 0
    return mapping_part(f, p, n, target, NULL, part) and count_parts(p, part.at, place)


cdef bint count_parts(const uint8_t *p, const uint8_t *end, Py_ssize_t *place) noexcept:
    """Count the attributes before the one whose payload begins at `end`."""
    cdef Cursor c = Cursor(p, end - p)
    cdef nlattr header
    while c.left > NLA_HDRLEN and attribute_ok(&c, &header):
        step(&c, header.nla_len)
        place[0] += 1
    return True


cdef bint mapping_part(Field f, const uint8_t *p, Py_ssize_t n, const uint8_t *target,
                       Py_ssize_t *place, Cursor *part) noexcept:
    cdef Cursor c = Cursor(p, n)
    cdef nlattr header
    while attribute_ok(&c, &header):
        # The payload of an empty attribute begins where the attribute ends.
        if target < c.at + max(align4(header.nla_len), NLA_HDRLEN + 1):
            if place != NULL:
                place[0] = header.nla_type & NLA_TYPE_MASK
            part[0] = Cursor(c.at + NLA_HDRLEN, header.nla_len - NLA_HDRLEN)
            return True
        step(&c, header.nla_len)
    return False


cdef int store_array(Field f, Buffer *b, object value, Scope scope) except -1:
    for position, item in enumerate(items_of(value), f.first):
        put_element(f, b, position, item, scope)
    b.nested = True
    return 0


cdef int store_mapping(Field f, Buffer *b, object value, Scope scope) except -1:
    if not isinstance(value, dict):
        raise EncodeError(f"expected a dict, not {type(value).__name__}", value=value)
    for key, item in value.items():
        put_element(f, b, key if isinstance(key, int) or f.enum is None else named(f, key), item,
                    scope)
    b.nested = True
    return 0


cdef object no_key(object key):
    return EncodeError(f"{quoted(key)} is not an attribute type: use an int from 0 to "
                       f"{NLA_TYPE_MASK}", value=key)


cdef int put_element(Field f, Buffer *b, object key, object item, Scope scope) except -1:
    if not isinstance(key, int) or not 0 <= key <= NLA_TYPE_MASK:
        raise no_key(key)
    cdef Py_ssize_t start = open_attribute(b, <unsigned int>key | f.element.type_flags)
    try:
        f.element.kind.store(f.element, b, item, scope)
        check_bounds(f.element, b, start)
        close_attribute(b, start)
    except EncodeError as error:
        raise deeper(error, f"[{shown(key)}]")
    return 0


define_kind(b"array", check_any, load_array, store_array).part = array_part
define_kind(b"mapping", check_any, load_mapping, store_mapping).part = mapping_part


# Repeated: the same attribute several times. Loading starts at the first one and finds the others.

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
    for position, item in enumerate(items_of(value)):
        try:
            if item is None:  # which leaves out a whole attribute, but no value among others
                f.element.kind.store(f.element, b, item, scope)
                raise EncodeError("expected a value, not None")
            put_field(f.element, b, f.number, item, scope)
        except EncodeError as error:
            raise deeper(error, f"[{position}]")
    return 0


define_kind(b"repeated", check_any, load_repeated, store_repeated).repeats = True


# Records: consecutive structs. Each starts with its own length (u16) and is followed by attributes.
# The next hops of RTA_MULTIPATH are records (struct rtnexthop, linux/rtnetlink.h).

cdef object load_records(Field f, View owner, const uint8_t *p, Py_ssize_t n):
    cdef Cursor c = Cursor(p, n)
    cdef Table table = f.resolve()
    cdef Py_ssize_t length
    cdef list found = []
    while c.left > 0:
        length = <Py_ssize_t>get_integer(c.at, 2, NETLINK_BIG_ENDIAN) if c.left >= 2 else 0
        if length < table.header or length > c.left:
            raise DecodeError(f"a record's length {length} does not fit: it must be at least "
                              f"{table.header} and at most {c.left}, the bytes left",
                              path=place_of(owner, c.at), offset=c.at - data_start(owner))
        found.append(new_view(table, owner.data, c.at - data_start(owner), length, 0, owner))
        step(&c, length)
    return tuple(found)


cdef int store_records(Field f, Buffer *b, object value, Scope scope) except -1:
    cdef Py_ssize_t start
    cdef uint16_t length
    for position, item in enumerate(items_of(value)):
        start = b.used
        try:
            put_view(f.resolve(), b, item, scope)
        except EncodeError as error:
            raise deeper(error, f"[{position}]")
        if b.used - start > NLA_MAX_LEN:
            raise EncodeError(f"record {position} has {b.used - start} bytes: the limit is "
                              f"{NLA_MAX_LEN}", value=value)
        length = <uint16_t>(b.used - start)
        memcpy(b.data + start, &length, 2)
        put_zeros(b, align4(length) - length)
    return 0


cdef bint records_part(Field f, const uint8_t *p, Py_ssize_t n, const uint8_t *target,
                       Py_ssize_t *place, Cursor *part) noexcept:
    cdef Cursor c = Cursor(p, n)
    cdef Py_ssize_t length
    place[0] = 0
    while c.left >= 2:
        length = <Py_ssize_t>get_integer(c.at, 2, NETLINK_BIG_ENDIAN)
        if length < 2 or length > c.left:
            return False
        if target < c.at + length:
            part[0] = Cursor(c.at, length)
            return True
        step(&c, length)
        place[0] += 1
    return False


define_kind(b"records", check_any, load_records, store_records).part = records_part


class Bitfield32(tuple):
    """Bits, and the mask of the bits that are valid (struct nla_bitfield32, linux/netlink.h)."""

    __slots__ = ()
    __match_args__ = ("value", "selector")

    def __new__(cls, value, selector):
        return tuple.__new__(cls, (value, selector))

    def __getnewargs__(self):
        return tuple(self)

    # tuple.__getitem__() checks what self is; an index in Cython may leave the bounds.
    value = property(lambda self: tuple.__getitem__(self, 0), doc="the bits")
    selector = property(lambda self: tuple.__getitem__(self, 1),
                        doc="the mask of the bits that are valid")

    def __repr__(self):
        value, selector = tuple.__iter__(self)
        return f"Bitfield32(value={value!r}, selector={selector:#x})"


def kinds():
    """Return the names of all kinds, in the order of their definition."""
    return tuple(KIND_NUMBERS)
