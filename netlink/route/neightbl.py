"""Settings of the neighbour tables (ARP, NDP): struct ndtmsg and its NDTA_* attributes.

This file does not declare the neighbours themselves; neigh.py does. Numbers are from Linux 6.12
(linux/neighbour.h), widths from nl_neightbl_policy and nl_ntbl_parm_policy in
net/core/neighbour.c. Attributes that only pad are not declared.
"""

from netlink.constants import AF
from netlink.family import Op
from netlink.route.rtnetlink import ROUTE, RTM, rtgenmsg
from netlink.schema import Message, Named, Nested, nest, pad, string, struct, u8, u16, u32, u64


class ndt_stats(Message):
    """struct ndt_stats (linux/neighbour.h): counters of a table."""

    allocs: int = u64()
    destroys: int = u64()
    hash_grows: int = u64()
    res_failed: int = u64()
    lookups: int = u64()
    hits: int = u64()
    rcv_probes_mcast: int = u64()
    rcv_probes_ucast: int = u64()
    periodic_gc_runs: int = u64()
    forced_gc_runs: int = u64()
    table_fulls: int = u64()


class ndt_config(Message):
    """struct ndt_config (linux/neighbour.h).

    `key_len` and `entry_size` are in bytes. `last_flush` and `last_rand` are ages in milliseconds.
    """

    key_len: int = u16()
    entry_size: int = u16()
    entries: int = u32()
    last_flush: int = u32()
    last_rand: int = u32()
    hash_rnd: int = u32()
    hash_mask: int = u32()
    hash_chain_gc: int = u32()
    proxy_qlen: int = u32()


class NeighbourParms(Message):
    """NDTPA_* attributes (linux/neighbour.h): the settings of a table, or of one link in it.

    Times are in milliseconds, `queue_lenbytes` in bytes, the other lengths in packets. Without
    `ifindex`, these are the defaults for new links.
    """

    ifindex: int | None = u32(1)
    refcnt: int | None = u32(2)
    reachable_time: int | None = u64(3)
    base_reachable_time: int | None = u64(4)
    retrans_time: int | None = u64(5)
    gc_staletime: int | None = u64(6)
    delay_probe_time: int | None = u64(7)
    queue_len: int | None = u32(8)
    app_probes: int | None = u32(9)
    ucast_probes: int | None = u32(10)
    mcast_probes: int | None = u32(11)
    anycast_delay: int | None = u64(12)
    proxy_delay: int | None = u64(13)
    proxy_qlen: int | None = u32(14)
    locktime: int | None = u64(15)
    queue_lenbytes: int | None = u32(16)
    mcast_reprobes: int | None = u32(17)
    interval_probe_time_ms: int | None = u64(19)


class ndtmsg(Message, bare=rtgenmsg):
    """struct ndtmsg (linux/neighbour.h)."""

    family: Named[AF | int] = u8(enum=AF)
    _pad = pad(3)


class NeighbourTable(ndtmsg):
    """One table, or the settings of one link in it: struct ndtmsg and NDTA_* attributes.

    For each table, a dump contains one message with all attributes, then one message with `name`
    and `parms` for each link. A request that changes a setting needs `name`. `gc_interval` is in
    milliseconds.
    """

    name: str | None = string(1)
    thresh1: int | None = u32(2)
    thresh2: int | None = u32(3)
    thresh3: int | None = u32(4)
    config: Nested[ndt_config] = struct(5, ndt_config)
    parms: Nested[NeighbourParms] = nest(6, NeighbourParms)
    stats: Nested[ndt_stats] = struct(7, ndt_stats)
    gc_interval: int | None = u64(8)


# The kernel answers dumps only.
get = Op("neightbl.get", RTM.RTM_GETNEIGHTBL, NeighbourTable, answer="one")
set = Op("neightbl.set", RTM.RTM_SETNEIGHTBL, NeighbourTable)

ROUTE.add(get, set, messages={RTM.RTM_NEWNEIGHTBL: NeighbourTable})
