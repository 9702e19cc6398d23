"""macsec: secure associations and channels of MACsec interfaces (linux/if_macsec.h).

Numbers are those of Linux 6.12; kinds and behaviour are those of drivers/net/macsec.c. The
interface itself is a link of the kind "macsec" (rtnetlink). Keys can be set and never read.

    with Connection(macsec.FAMILY) as nl:
        nl.do(macsec.add_txsa(ifindex=7, sa_config={"an": 0, "pn": 1, "active": 1, "key": key,
                                                    "keyid": bytes(16)}))
        for device in nl.do(macsec.devices()):
            print(device.ifindex, device.secy.sci)
"""

from __future__ import annotations

from netlink.constants import KernelEnum
from netlink.family import Family, Op, Steps, plan
from netlink.schema import (
    Message,
    Named,
    Nested,
    Several,
    array,
    be32,
    be64,
    binary,
    nest,
    u8,
    u32,
    u64,
    uint,
)

KEY_SIZE, KEYID_SIZE, SALT_SIZE = 32, 16, 12  # bytes (MACSEC_MAX_KEY_LEN and so on)


class MACSEC_CMD(KernelEnum):
    """Commands: enum macsec_nl_commands."""

    MACSEC_CMD_GET_TXSC = 0
    MACSEC_CMD_ADD_RXSC = 1
    MACSEC_CMD_DEL_RXSC = 2
    MACSEC_CMD_UPD_RXSC = 3
    MACSEC_CMD_ADD_TXSA = 4
    MACSEC_CMD_DEL_TXSA = 5
    MACSEC_CMD_UPD_TXSA = 6
    MACSEC_CMD_ADD_RXSA = 7
    MACSEC_CMD_DEL_RXSA = 8
    MACSEC_CMD_UPD_RXSA = 9
    MACSEC_CMD_UPD_OFFLOAD = 10


class CIPHER(KernelEnum, prefix=("MACSEC_CIPHER_ID_", "MACSEC_")):
    """Ciphers: MACSEC_CIPHER_ID_*. The XPN ones have packet numbers of 64 bits."""

    MACSEC_CIPHER_ID_GCM_AES_128 = 0x0080C20001000001
    MACSEC_CIPHER_ID_GCM_AES_256 = 0x0080C20001000002
    MACSEC_CIPHER_ID_GCM_AES_XPN_128 = 0x0080C20001000003
    MACSEC_CIPHER_ID_GCM_AES_XPN_256 = 0x0080C20001000004
    MACSEC_DEFAULT_CIPHER_ID = 0x0080020001000001


class VALIDATE(KernelEnum, prefix="MACSEC_VALIDATE_"):
    """How strictly received frames are validated (linux/if_link.h)."""

    MACSEC_VALIDATE_DISABLED = 0
    MACSEC_VALIDATE_CHECK = 1
    MACSEC_VALIDATE_STRICT = 2


class OFFLOAD(KernelEnum, prefix="MACSEC_OFFLOAD_"):
    """What does the work (linux/if_link.h)."""

    MACSEC_OFFLOAD_OFF = 0
    MACSEC_OFFLOAD_PHY = 1
    MACSEC_OFFLOAD_MAC = 2


class SaStats(Message):
    """Counters of an association: MACSEC_SA_STATS_ATTR_*."""

    in_pkts_ok: int | None = u32(1)
    in_pkts_invalid: int | None = u32(2)
    in_pkts_not_valid: int | None = u32(3)
    in_pkts_not_using_sa: int | None = u32(4)
    in_pkts_unused_sa: int | None = u32(5)
    out_pkts_protected: int | None = u32(6)
    out_pkts_encrypted: int | None = u32(7)


class Sa(Message):
    """A secure association: MACSEC_SA_ATTR_*.

    `an` is its number, 0 to 3. `pn`, the next packet number, has 32 bits, or 64 with an XPN cipher;
    the kernel wants the width of the cipher, so a request for an XPN cipher uses SaXpn.
    """

    an: int | None = u8(1, most=3)
    active: int | None = u8(2, most=1)
    pn: int | None = uint(3)
    key: bytes | None = binary(4, size=KEY_SIZE)
    keyid: bytes | None = binary(5, size=KEYID_SIZE, least=KEYID_SIZE)
    stats: Nested[SaStats] = nest(6, SaStats)
    ssci: int | None = be32(8)
    salt: bytes | None = binary(9, size=SALT_SIZE, least=SALT_SIZE)


class SaXpn(Sa):
    """A secure association of an XPN cipher, for requests: MACSEC_SA_ATTR_*."""

    pn: int | None = u64(3)


class RxScStats(Message):
    """Counters of a channel that receives: MACSEC_RXSC_STATS_ATTR_*."""

    in_octets_validated: int | None = u64(1)
    in_octets_decrypted: int | None = u64(2)
    in_pkts_unchecked: int | None = u64(3)
    in_pkts_delayed: int | None = u64(4)
    in_pkts_ok: int | None = u64(5)
    in_pkts_invalid: int | None = u64(6)
    in_pkts_late: int | None = u64(7)
    in_pkts_not_valid: int | None = u64(8)
    in_pkts_not_using_sa: int | None = u64(9)
    in_pkts_unused_sa: int | None = u64(10)


class RxSc(Message):
    """A channel that receives: MACSEC_RXSC_ATTR_*. `sci` is a MAC address and a port."""

    sci: int | None = be64(1)
    active: int | None = u8(2, most=1)
    sa_list: Several[Sa] = array(3, Sa, first=1)
    stats: Nested[RxScStats] = nest(4, RxScStats)


class Secy(Message):
    """The secure entity: MACSEC_SECY_ATTR_*. `sci` is a MAC address and a port."""

    sci: int | None = be64(1)
    encoding_sa: int | None = u8(2)
    window: int | None = u32(3)
    cipher_suite: Named[CIPHER | int | None] = u64(4, enum=CIPHER)
    icv_len: int | None = u8(5)
    protect: int | None = u8(6)
    replay: int | None = u8(7)
    oper: int | None = u8(8)
    validate: Named[VALIDATE | int | None] = u8(9, enum=VALIDATE)
    encrypt: int | None = u8(10)
    inc_sci: int | None = u8(11)
    es: int | None = u8(12)
    scb: int | None = u8(13)


class TxScStats(Message):
    """Counters of the channel that sends: MACSEC_TXSC_STATS_ATTR_*."""

    out_pkts_protected: int | None = u64(1)
    out_pkts_encrypted: int | None = u64(2)
    out_octets_protected: int | None = u64(3)
    out_octets_encrypted: int | None = u64(4)


class SecyStats(Message):
    """Counters of the secure entity: MACSEC_SECY_STATS_ATTR_*."""

    out_pkts_untagged: int | None = u64(1)
    in_pkts_untagged: int | None = u64(2)
    out_pkts_too_long: int | None = u64(3)
    in_pkts_no_tag: int | None = u64(4)
    in_pkts_bad_tag: int | None = u64(5)
    in_pkts_unknown_sci: int | None = u64(6)
    in_pkts_no_sci: int | None = u64(7)
    in_pkts_overrun: int | None = u64(8)


class Offload(Message):
    """What does the work: MACSEC_OFFLOAD_ATTR_*."""

    type: Named[OFFLOAD | int | None] = u8(1, enum=OFFLOAD)


class Macsec(Message):
    """A MACsec interface: MACSEC_ATTR_*."""

    ifindex: int | None = u32(1)
    rxsc_config: Nested[RxSc] = nest(2, RxSc)
    sa_config: Nested[Sa] = nest(3, Sa)
    secy: Nested[Secy] = nest(4, Secy)
    txsa_list: Several[Sa] = array(5, Sa, first=1)
    rxsc_list: Several[RxSc] = array(6, RxSc, first=1)
    txsc_stats: Nested[TxScStats] = nest(7, TxScStats)
    secy_stats: Nested[SecyStats] = nest(8, SecyStats)
    offload: Nested[Offload] = nest(9, Offload)


class All(Message):
    """The request for all interfaces. It has no attributes: MACSEC_ATTR_*."""


class Change(Message):
    """A request to change an interface: MACSEC_ATTR_*.

    `sa_config` is a Sa, or a SaXpn for an XPN cipher.
    """

    ifindex: int | None = u32(1)
    rxsc_config: Nested[RxSc] = nest(2, RxSc)
    sa_config: Nested[Sa] = nest(3, Sa)
    offload: Nested[Offload] = nest(9, Offload)


get_txsc = Op(
    "macsec.get_txsc", MACSEC_CMD.MACSEC_CMD_GET_TXSC, All, reply=Macsec, answer="several"
)
add_rxsc = Op("macsec.add_rxsc", MACSEC_CMD.MACSEC_CMD_ADD_RXSC, Change)
del_rxsc = Op("macsec.del_rxsc", MACSEC_CMD.MACSEC_CMD_DEL_RXSC, Change)
upd_rxsc = Op("macsec.upd_rxsc", MACSEC_CMD.MACSEC_CMD_UPD_RXSC, Change)
add_txsa = Op("macsec.add_txsa", MACSEC_CMD.MACSEC_CMD_ADD_TXSA, Change)
del_txsa = Op("macsec.del_txsa", MACSEC_CMD.MACSEC_CMD_DEL_TXSA, Change)
upd_txsa = Op("macsec.upd_txsa", MACSEC_CMD.MACSEC_CMD_UPD_TXSA, Change)
add_rxsa = Op("macsec.add_rxsa", MACSEC_CMD.MACSEC_CMD_ADD_RXSA, Change)
del_rxsa = Op("macsec.del_rxsa", MACSEC_CMD.MACSEC_CMD_DEL_RXSA, Change)
upd_rxsa = Op("macsec.upd_rxsa", MACSEC_CMD.MACSEC_CMD_UPD_RXSA, Change)
upd_offload = Op("macsec.upd_offload", MACSEC_CMD.MACSEC_CMD_UPD_OFFLOAD, Change)

FAMILY = Family(
    "macsec",
    types=MACSEC_CMD,
    ops=(
        get_txsc, add_rxsc, del_rxsc, upd_rxsc, add_txsa, del_txsa, upd_txsa, add_rxsa, del_rxsa,
        upd_rxsa, upd_offload,
    ),
    messages=Macsec,
)  # fmt: skip


@plan
def devices() -> Steps[list[Macsec]]:
    """Return every MACsec interface, with its channels, associations and counters."""
    found: list[Macsec] = yield get_txsc().dump()
    return found
