"""Link kind "macsec": Ethernet encryption (802.1AE).

This file only declares attributes, and is imported when the first "macsec" link is used. Numbers
are from Linux 6.12 (linux/if_link.h). Widths and byte order are from drivers/net/macsec.c.
"""

from netlink.constants import KernelEnum
from netlink.schema import Message, Named, be16, be64, u8, u32, u64


class MACSEC_CIPHER_ID(KernelEnum, prefix=("MACSEC_CIPHER_ID_", "MACSEC_")):
    """Cipher suites, by their IEEE 802.1AE numbers (linux/if_macsec.h).

    MACSEC_DEFAULT_CIPHER_ID is an older number of MACSEC_CIPHER_ID_GCM_AES_128. The kernel sends
    this older number.
    """

    MACSEC_DEFAULT_CIPHER_ID = 0x0080020001000001
    MACSEC_CIPHER_ID_GCM_AES_128 = 0x0080C20001000001
    MACSEC_CIPHER_ID_GCM_AES_256 = 0x0080C20001000002
    MACSEC_CIPHER_ID_GCM_AES_XPN_128 = 0x0080C20001000003
    MACSEC_CIPHER_ID_GCM_AES_XPN_256 = 0x0080C20001000004


class MACSEC_VALIDATE(KernelEnum):
    """How strictly received frames are validated (linux/if_link.h)."""

    MACSEC_VALIDATE_DISABLED = 0
    MACSEC_VALIDATE_CHECK = 1
    MACSEC_VALIDATE_STRICT = 2


class MACSEC_OFFLOAD(KernelEnum):
    """Where encryption is done: in software, in the PHY or in the MAC (linux/if_link.h)."""

    MACSEC_OFFLOAD_OFF = 0
    MACSEC_OFFLOAD_PHY = 1
    MACSEC_OFFLOAD_MAC = 2


class Macsec(Message):
    """IFLA_MACSEC_* attributes of a "macsec" (linux/if_link.h).

    `sci` is a MAC address and a port; `port` sets only the port. `icv_len` is in bytes, and
    `window` is in packets.
    """

    sci: int | None = be64(1)
    port: int | None = be16(2)
    icv_len: int | None = u8(3)
    cipher_suite: Named[MACSEC_CIPHER_ID | int | None] = u64(4, enum=MACSEC_CIPHER_ID)
    window: int | None = u32(5)
    encoding_sa: int | None = u8(6)
    encrypt: int | None = u8(7)
    protect: int | None = u8(8)
    inc_sci: int | None = u8(9)
    es: int | None = u8(10)
    scb: int | None = u8(11)
    replay_protect: int | None = u8(12)
    validation: Named[MACSEC_VALIDATE | int | None] = u8(13, enum=MACSEC_VALIDATE)
    offload: Named[MACSEC_OFFLOAD | int | None] = u8(15, enum=MACSEC_OFFLOAD)
