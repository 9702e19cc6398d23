"""netdev: what network devices can do, and their queues, NAPI instances and page pools.

Numbers are those of Linux 6.18 (linux/netdev.h). The behaviour is that of net/core/netdev-genl.c
and net/core/page_pool_user.c. Reading requires no privilege:

    with Connection(netdev.FAMILY) as nl:
        for queue in nl.do(netdev.queues("eth0")):
            print(queue.type, queue.id, queue.napi_id)

The groups are "mgmt" (devices) and "page-pool". A binding of a dmabuf belongs to the socket that
made it: the kernel removes it when the connection is closed (netdev_nl_sock_priv_destroy).
"""

from __future__ import annotations

from typing import Any

from netlink.constants import KernelEnum, KernelFlag
from netlink.family import Family, Op, Steps, index_of, plan
from netlink.schema import Message, Named, Nested, Several, nest, repeated, u32, u64, uint
from netlink.words import S32, U32, U64, Words


class NETDEV_CMD(KernelEnum):
    """Commands."""

    NETDEV_CMD_DEV_GET = 1
    NETDEV_CMD_DEV_ADD_NTF = 2
    NETDEV_CMD_DEV_DEL_NTF = 3
    NETDEV_CMD_DEV_CHANGE_NTF = 4
    NETDEV_CMD_PAGE_POOL_GET = 5
    NETDEV_CMD_PAGE_POOL_ADD_NTF = 6
    NETDEV_CMD_PAGE_POOL_DEL_NTF = 7
    NETDEV_CMD_PAGE_POOL_CHANGE_NTF = 8
    NETDEV_CMD_PAGE_POOL_STATS_GET = 9
    NETDEV_CMD_QUEUE_GET = 10
    NETDEV_CMD_NAPI_GET = 11
    NETDEV_CMD_QSTATS_GET = 12
    NETDEV_CMD_BIND_RX = 13
    NETDEV_CMD_NAPI_SET = 14
    NETDEV_CMD_BIND_TX = 15


class NETDEV_XDP_ACT(KernelFlag):
    """What XDP can do on a device."""

    NETDEV_XDP_ACT_BASIC = 0x1
    NETDEV_XDP_ACT_REDIRECT = 0x2
    NETDEV_XDP_ACT_NDO_XMIT = 0x4
    NETDEV_XDP_ACT_XSK_ZEROCOPY = 0x8
    NETDEV_XDP_ACT_HW_OFFLOAD = 0x10
    NETDEV_XDP_ACT_RX_SG = 0x20
    NETDEV_XDP_ACT_NDO_XMIT_SG = 0x40


class NETDEV_XDP_RX_METADATA(KernelFlag):
    """What an XDP program can learn about a received packet."""

    NETDEV_XDP_RX_METADATA_TIMESTAMP = 0x1
    NETDEV_XDP_RX_METADATA_HASH = 0x2
    NETDEV_XDP_RX_METADATA_VLAN_TAG = 0x4


class NETDEV_XSK_FLAGS(KernelFlag):
    """What a device can do for AF_XDP sockets."""

    NETDEV_XSK_FLAGS_TX_TIMESTAMP = 0x1
    NETDEV_XSK_FLAGS_TX_CHECKSUM = 0x2
    NETDEV_XSK_FLAGS_TX_LAUNCH_TIME_FIFO = 0x4


class NETDEV_QUEUE_TYPE(KernelEnum):
    """Types of queues. Each type is numbered from 0."""

    NETDEV_QUEUE_TYPE_RX = 0
    NETDEV_QUEUE_TYPE_TX = 1


class NETDEV_QSTATS_SCOPE(KernelFlag):
    """What one message of a dump of statistics is about, if not a device."""

    NETDEV_QSTATS_SCOPE_QUEUE = 0x1


class NETDEV_NAPI_THREADED(KernelEnum):
    """Whether a kernel thread polls."""

    NETDEV_NAPI_THREADED_DISABLED = 0
    NETDEV_NAPI_THREADED_ENABLED = 1
    NETDEV_NAPI_THREADED_BUSY_POLL = 2


# --- messages -------------------------------------------------------------------------------------


class Empty(Message):
    """A request without attributes, or a nest whose presence is the value."""


class DeviceQuery(Message):
    """Which device: NETDEV_A_DEV_*."""

    ifindex: int | None = u32(1, least=1)


class Device(DeviceQuery):
    """A device: NETDEV_A_DEV_*."""

    xdp_features: Named[NETDEV_XDP_ACT | int | None] = u64(3, enum=NETDEV_XDP_ACT)
    xdp_zc_max_segs: int | None = u32(4, least=1)
    xdp_rx_metadata_features: Named[NETDEV_XDP_RX_METADATA | int | None] = u64(
        5, enum=NETDEV_XDP_RX_METADATA
    )
    xsk_features: Named[NETDEV_XSK_FLAGS | int | None] = u64(6, enum=NETDEV_XSK_FLAGS)


class PagePoolQuery(Message):
    """Which page pool: NETDEV_A_PAGE_POOL_*."""

    id: int | None = uint(1, least=1, most=U32)


class PagePool(PagePoolQuery):
    """A page pool: NETDEV_A_PAGE_POOL_*.

    It may outlive its device (no `ifindex`), until all pages have been returned. `inflight` is a
    number of pages, `inflight_mem` their bytes. `detach_time` is seconds of CLOCK_BOOTTIME.
    """

    ifindex: int | None = u32(2)
    napi_id: int | None = uint(3)
    inflight: int | None = uint(4)
    inflight_mem: int | None = uint(5)
    detach_time: int | None = uint(6)
    dmabuf: int | None = u32(7)
    io_uring: Nested[Empty] = nest(8, Empty)


class PagePoolInfo(Message):
    """A page pool, by its number or its device: NETDEV_A_PAGE_POOL_*."""

    id: int | None = uint(1, least=1, most=U32)
    ifindex: int | None = u32(2, least=1, most=S32)


class PagePoolStatsQuery(Message):
    """Which page pool: NETDEV_A_PAGE_POOL_STATS_*."""

    info: Nested[PagePoolInfo] = nest(1, PagePoolInfo)


class PagePoolStats(PagePoolStatsQuery):
    """How often pages were allocated and recycled: NETDEV_A_PAGE_POOL_STATS_*."""

    alloc_fast: int | None = uint(8)
    alloc_slow: int | None = uint(9)
    alloc_slow_high_order: int | None = uint(10)
    alloc_empty: int | None = uint(11)
    alloc_refill: int | None = uint(12)
    alloc_waive: int | None = uint(13)
    recycle_cached: int | None = uint(14)
    recycle_cache_full: int | None = uint(15)
    recycle_ring: int | None = uint(16)
    recycle_ring_full: int | None = uint(17)
    recycle_released_refcnt: int | None = uint(18)


class QueueId(Message):
    """A queue of a known device: NETDEV_A_QUEUE_*."""

    id: int | None = u32(1)
    type: Named[NETDEV_QUEUE_TYPE | int | None] = u32(3, enum=NETDEV_QUEUE_TYPE)


class QueueQuery(QueueId):
    """Which queue: NETDEV_A_QUEUE_*. A dump accepts only `ifindex`."""

    ifindex: int | None = u32(2, least=1)


class Queue(QueueQuery):
    """A queue: NETDEV_A_QUEUE_*. `dmabuf` is the number of a binding."""

    napi_id: int | None = u32(4)
    dmabuf: int | None = u32(5)
    io_uring: Nested[Empty] = nest(6, Empty)
    xsk: Nested[Empty] = nest(7, Empty)


class NapiQuery(Message):
    """Which NAPI instance: NETDEV_A_NAPI_*. do() accepts only `id`, and a dump only `ifindex`."""

    ifindex: int | None = u32(1, least=1)
    id: int | None = u32(2)


class NapiSet(Message):
    """A change of a NAPI instance: NETDEV_A_NAPI_*. The timeouts are nanoseconds."""

    id: int | None = u32(2)
    defer_hard_irqs: int | None = u32(5, most=S32)
    gro_flush_timeout: int | None = uint(6)
    irq_suspend_timeout: int | None = uint(7)
    threaded: Named[NETDEV_NAPI_THREADED | int | None] = u32(8, enum=NETDEV_NAPI_THREADED)


class Napi(NapiSet):
    """A NAPI instance: NETDEV_A_NAPI_*. `pid` is that of the thread that polls, if there is one."""

    ifindex: int | None = u32(1)
    irq: int | None = u32(3)
    pid: int | None = u32(4)


class QueueStatsQuery(Message):
    """Which statistics: NETDEV_A_QSTATS_*."""

    ifindex: int | None = u32(1, least=1)
    scope: Named[NETDEV_QSTATS_SCOPE | int | None] = uint(4, enum=NETDEV_QSTATS_SCOPE)


class QueueStats(Message):
    """Counters of a device, or of a queue if it has `queue_id`: NETDEV_A_QSTATS_*."""

    ifindex: int | None = u32(1)
    queue_type: Named[NETDEV_QUEUE_TYPE | int | None] = u32(2, enum=NETDEV_QUEUE_TYPE)
    queue_id: int | None = u32(3)
    rx_packets: int | None = uint(8)
    rx_bytes: int | None = uint(9)
    tx_packets: int | None = uint(10)
    tx_bytes: int | None = uint(11)
    rx_alloc_fail: int | None = uint(12)
    rx_hw_drops: int | None = uint(13)
    rx_hw_drop_overruns: int | None = uint(14)
    rx_csum_complete: int | None = uint(15)
    rx_csum_unnecessary: int | None = uint(16)
    rx_csum_none: int | None = uint(17)
    rx_csum_bad: int | None = uint(18)
    rx_hw_gro_packets: int | None = uint(19)
    rx_hw_gro_bytes: int | None = uint(20)
    rx_hw_gro_wire_packets: int | None = uint(21)
    rx_hw_gro_wire_bytes: int | None = uint(22)
    rx_hw_drop_ratelimits: int | None = uint(23)
    tx_hw_drops: int | None = uint(24)
    tx_hw_drop_errors: int | None = uint(25)
    tx_csum_none: int | None = uint(26)
    tx_needs_csum: int | None = uint(27)
    tx_hw_gso_packets: int | None = uint(28)
    tx_hw_gso_bytes: int | None = uint(29)
    tx_hw_gso_wire_packets: int | None = uint(30)
    tx_hw_gso_wire_bytes: int | None = uint(31)
    tx_hw_drop_ratelimits: int | None = uint(32)
    tx_stop: int | None = uint(33)
    tx_wake: int | None = uint(34)


class TxBinding(Message):
    """A dmabuf to send from: NETDEV_A_DMABUF_*. `fd` is its open descriptor."""

    ifindex: int | None = u32(1, least=1)
    fd: int | None = u32(3)


class RxBinding(TxBinding):
    """A dmabuf and the queues that receive into it: NETDEV_A_DMABUF_*."""

    queues: Several[QueueId] = repeated(2, QueueId)


class Binding(Message):
    """The number of a binding: NETDEV_A_DMABUF_*."""

    id: int | None = u32(4)


dev_get = Op(
    "netdev.dev_get", NETDEV_CMD.NETDEV_CMD_DEV_GET, DeviceQuery, reply=Device, answer="one"
)
page_pool_get = Op(
    "netdev.page_pool_get",
    NETDEV_CMD.NETDEV_CMD_PAGE_POOL_GET,
    PagePoolQuery,
    reply=PagePool,
    answer="one",
)
page_pool_stats_get = Op(
    "netdev.page_pool_stats_get",
    NETDEV_CMD.NETDEV_CMD_PAGE_POOL_STATS_GET,
    PagePoolStatsQuery,
    reply=PagePoolStats,
    answer="one",
)
queue_get = Op(
    "netdev.queue_get", NETDEV_CMD.NETDEV_CMD_QUEUE_GET, QueueQuery, reply=Queue, answer="one"
)
napi_get = Op(
    "netdev.napi_get", NETDEV_CMD.NETDEV_CMD_NAPI_GET, NapiQuery, reply=Napi, answer="one"
)
napi_set = Op("netdev.napi_set", NETDEV_CMD.NETDEV_CMD_NAPI_SET, NapiSet)
qstats_get = Op(  # dump() only
    "netdev.qstats_get",
    NETDEV_CMD.NETDEV_CMD_QSTATS_GET,
    QueueStatsQuery,
    reply=QueueStats,
    answer="one",
)
bind_rx = Op(
    "netdev.bind_rx", NETDEV_CMD.NETDEV_CMD_BIND_RX, RxBinding, reply=Binding, answer="one"
)
bind_tx = Op(
    "netdev.bind_tx", NETDEV_CMD.NETDEV_CMD_BIND_TX, TxBinding, reply=Binding, answer="one"
)

FAMILY = Family(
    "netdev",
    types=NETDEV_CMD,
    ops=(
        dev_get, page_pool_get, page_pool_stats_get, queue_get, napi_get, napi_set, qstats_get,
        bind_rx, bind_tx,
    ),
    groups=("mgmt", "page-pool"),
    messages={
        NETDEV_CMD.NETDEV_CMD_DEV_ADD_NTF: Device,
        NETDEV_CMD.NETDEV_CMD_DEV_DEL_NTF: Device,
        NETDEV_CMD.NETDEV_CMD_DEV_CHANGE_NTF: Device,
        NETDEV_CMD.NETDEV_CMD_PAGE_POOL_ADD_NTF: PagePool,
        NETDEV_CMD.NETDEV_CMD_PAGE_POOL_DEL_NTF: PagePool,
        NETDEV_CMD.NETDEV_CMD_PAGE_POOL_CHANGE_NTF: PagePool,
    },
)  # fmt: skip


# --- plans ----------------------------------------------------------------------------------------


@plan
def device(dev: str | int) -> Steps[Device]:
    """Return what XDP and AF_XDP can do on a device, given by its name or index.

    Raises KernelError (ENODEV) if there is no such device.
    """
    found: Device = yield dev_get(ifindex=(yield from _index("device", dev)))
    return found


@plan
def queues(dev: str | int) -> Steps[list[Queue]]:
    """Return the queues of a device that is up. Raises KernelError as device() does."""
    found: list[Queue] = yield queue_get(ifindex=(yield from _index("queues", dev))).dump()
    return found


@plan
def napis(dev: str | int) -> Steps[list[Napi]]:
    """Return the NAPI instances of a device that is up. Raises KernelError as device() does."""
    found: list[Napi] = yield napi_get(ifindex=(yield from _index("napis", dev))).dump()
    return found


@plan
def set_napi(
    id: int,
    *,
    defer_hard_irqs: int | None = None,
    gro_flush_timeout: int | None = None,
    irq_suspend_timeout: int | None = None,
    threaded: NETDEV_NAPI_THREADED | int | str | None = None,
) -> Steps[None]:
    """Change the NAPI instance with a number (Linux 6.13). The timeouts are nanoseconds.

    `threaded` is "disabled", "enabled" or "busy_poll" (6.17). Raises KernelError: ENOENT if there
    is no such instance, EPERM without CAP_NET_ADMIN.
    """
    words = Words("netdev.set_napi", locals())
    words.needs_a_change("id")
    yield napi_set(
        id=_given(words, "id"),
        defer_hard_irqs=words.integer("defer_hard_irqs", 0, S32),
        gro_flush_timeout=words.integer("gro_flush_timeout", 0, U64),
        irq_suspend_timeout=words.integer("irq_suspend_timeout", 0, U64),
        threaded=words.number("threaded", NETDEV_NAPI_THREADED),
    )


@plan
def queue_stats(
    dev: str | int | None = None, *, per_queue: bool = False
) -> Steps[list[QueueStats]]:
    """Return the counters of one device or of all, and with `per_queue` those of each queue.

    Few drivers count this way, and the others are left out. Raises KernelError: ENODEV as device()
    does; EOPNOTSUPP if the driver of `dev` does not count.
    """
    words = Words("netdev.queue_stats", locals())
    index = None if dev is None else (yield from _index("queue_stats", dev))
    scope = NETDEV_QSTATS_SCOPE.NETDEV_QSTATS_SCOPE_QUEUE if words.switch("per_queue") else None
    found: list[QueueStats] = yield qstats_get(ifindex=index, scope=scope).dump()
    return found


@plan
def page_pools(dev: str | int | None = None) -> Steps[list[PagePool]]:
    """Return the page pools of one device or of all of this network namespace.

    Pools whose device was removed have no `ifindex`. Raises KernelError: ENODEV as device() does,
    EOPNOTSUPP if the kernel was built without CONFIG_PAGE_POOL.
    """
    index = None if dev is None else (yield from _index("page_pools", dev))
    found: list[PagePool] = yield page_pool_get().dump()
    return [pool for pool in found if index is None or pool.ifindex == index]


@plan
def page_pool_stats(dev: str | int | None = None) -> Steps[list[PagePoolStats]]:
    """Return the counters of the page pools of one device or of all.

    Raises KernelError: ENODEV as device() does, EOPNOTSUPP if the kernel was built without
    CONFIG_PAGE_POOL_STATS.
    """
    index = None if dev is None else (yield from _index("page_pool_stats", dev))
    found: list[PagePoolStats] = yield page_pool_stats_get().dump()
    return [one for one in found if index is None or (one.info and one.info.ifindex == index)]


@plan
def bind(dev: str | int, fd: int, queues: list[int] | tuple[int, ...]) -> Steps[int]:
    """Let receive queues of a device write into a dmabuf, and return the number of the binding.

    `fd` is an open descriptor of the dmabuf. The binding ends when the connection is closed.
    Raises KernelError: EOPNOTSUPP if the driver cannot do it, EPERM without CAP_NET_ADMIN.
    """
    words = Words("netdev.bind", locals())
    if not isinstance(queues, (list, tuple)) or not queues:
        raise words.expected("queues", "a non-empty list of numbers of receive queues")
    numbers = [
        Words(words.place, {f"queues[{place}]": one}).integer(f"queues[{place}]")
        for place, one in enumerate(queues)
    ]
    rx = NETDEV_QUEUE_TYPE.NETDEV_QUEUE_TYPE_RX
    index = yield from _index("bind", dev)
    made: Binding = yield bind_rx(
        ifindex=index,
        fd=_given(words, "fd", S32),
        queues=[QueueId(id=number, type=rx) for number in numbers],
    )
    assert made.id is not None  # netdev_nl_bind_rx_doit
    return made.id


def _given(words: Words, name: str, high: int = U32) -> int:
    number = words.integer(name, 0, high)
    if number is None:
        raise words.expected(name, f"an int from 0 to {high}")
    return number


def _index(plan: str, dev: Any) -> Steps[int]:
    words = Words(f"netdev.{plan}", {"dev": dev})
    link = words.link()
    if link is None:
        raise words.expected("dev", "the name of a link, or its index")
    return (yield from index_of(link))
