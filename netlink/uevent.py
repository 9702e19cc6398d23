"""uevent: device events that the kernel sends as text (NETLINK_KOBJECT_UEVENT).

This file contains one message class and no I/O. The family has no requests, and receiving needs no
privilege:

    with Connection(uevent.FAMILY) as nl:
        nl.join("kernel")
        for event in nl.events():
            print(event.action, event.devpath)

The behaviour is that of lib/kobject_uevent.c and linux/kobject.h (Linux 6.12):

- Events of network devices arrive in the network namespace of the device only. All other events
  arrive in every network namespace that the initial user namespace owns, and in no other
  (kobject_uevent_net_broadcast). So gaps in SEQNUM are normal and do not mean that events were
  lost. The numbers may also arrive out of order.
- A write to the file `uevent` of a device below /sys, such as "change", makes the kernel send an
  event of that action. It has SYNTH_UUID, and SYNTH_ARG_* for arguments.
- udevd multicasts its own messages to group 2. A connection drops them, as it drops everything that
  other processes send. Root of a network namespace can still make the kernel send any text. Do not
  rely on these events where that matters.
"""

from __future__ import annotations

from netlink.constants import NETLINK, KernelEnum
from netlink.family import Family
from netlink.schema import Message, pairs


class UEVENT(KernelEnum, prefix=""):
    """The only type of these messages, which have no header."""

    UEVENT = 0


class Uevent(Message):
    """One event of a device.

    `properties` are all its KEY=VALUE texts, in the kernel's order. Key "" is the first text, which
    has no "=": "add@/devices/virtual/net/v0". Names of devices may contain bytes that are not
    UTF-8; they read as surrogate escapes (os.fsencode() returns the bytes).
    """

    properties: dict[str, str] = pairs()

    @property
    def action(self) -> str | None:
        """What happened: "add", "remove", "change", "move", "online", "offline", "bind", ..."""
        return self.properties.get("ACTION")

    @property
    def devpath(self) -> str | None:
        """The directory of the device, below /sys."""
        return self.properties.get("DEVPATH")

    @property
    def subsystem(self) -> str | None:
        """The subsystem of the device, such as "net", "block" or "module"."""
        return self.properties.get("SUBSYSTEM")

    @property
    def seqnum(self) -> int | None:
        """The number of the event, counted for the whole machine."""
        number = self.properties.get("SEQNUM", "")
        return int(number) if number.isascii() and number.isdecimal() else None


FAMILY = Family(
    "uevent",
    protocol=NETLINK.NETLINK_KOBJECT_UEVENT,
    framing="text",
    types=UEVENT,
    messages={UEVENT.UEVENT: Uevent},
    groups={"kernel": 1},
)
