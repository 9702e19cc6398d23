"""The families of this library: their names, protocols and modules, as strings.

This is the only list of families. The command line, the tools, the docs and the tests read it. It
imports no family: load() imports one module, when it is called. A new family is one line here.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from netlink.family import Family

__all__ = ["FAMILIES", "Entry", "find", "load", "near", "speaking"]

# NETLINK_* of linux/netlink.h
ROUTE, SOCK_DIAG, AUDIT, CONNECTOR = 0, 4, 9, 11
NETFILTER, UEVENT, GENERIC = 12, 15, 16


class Entry(NamedTuple):
    """One family: `module` has it as FAMILY.

    `name` is the word for it, and the last part of the module's name. `kernel_name` is its name in
    the kernel if it is a family of Generic Netlink, and empty otherwise.
    """

    name: str
    protocol: int
    module: str
    kernel_name: str = ""

    def load(self) -> Family:
        """Import the module and return its family."""
        family: Family = import_module(self.module).FAMILY
        return family


FAMILIES = (
    Entry("route", ROUTE, "netlink.route"),
    Entry("nlctrl", GENERIC, "netlink.generic.nlctrl", "nlctrl"),
    Entry("taskstats", GENERIC, "netlink.generic.taskstats", "TASKSTATS"),
    Entry("dquot", GENERIC, "netlink.generic.dquot", "VFS_DQUOT"),
    Entry("wireguard", GENERIC, "netlink.generic.wireguard", "wireguard"),
    Entry("netdev", GENERIC, "netlink.generic.netdev", "netdev"),
    Entry("ethtool", GENERIC, "netlink.generic.ethtool", "ethtool"),
    Entry("mptcp_pm", GENERIC, "netlink.generic.mptcp_pm", "mptcp_pm"),
    Entry("mptcp_events", GENERIC, "netlink.generic.mptcp_events", "mptcp_pm"),
    Entry("nl80211", GENERIC, "netlink.generic.nl80211", "nl80211"),
    Entry("devlink", GENERIC, "netlink.generic.devlink", "devlink"),
    Entry("macsec", GENERIC, "netlink.generic.macsec", "macsec"),
    Entry("l2tp", GENERIC, "netlink.generic.l2tp", "l2tp"),
    Entry("ipvs", GENERIC, "netlink.generic.ipvs", "IPVS"),
    Entry("team", GENERIC, "netlink.generic.team", "team"),
    Entry("thermal", GENERIC, "netlink.generic.thermal", "thermal"),
    Entry("dpll", GENERIC, "netlink.generic.dpll", "dpll"),
    Entry("diag", SOCK_DIAG, "netlink.diag"),
    Entry("uevent", UEVENT, "netlink.uevent"),
    Entry("audit", AUDIT, "netlink.audit"),
    Entry("conntrack", NETFILTER, "netlink.netfilter.conntrack"),
    Entry("connector", CONNECTOR, "netlink.connector"),
)


def find(name: str) -> Entry:
    """Return the entry of a family, by its word or by its name in the kernel.

    If several have this name in the kernel, it is the first one. Raises LookupError that gives the
    nearest name, or else all names.
    """
    for entry in FAMILIES:
        if name and name in (entry.name, entry.kernel_name):
            return entry
    known = [entry.name for entry in FAMILIES]
    raise LookupError(f"this library has no family {name!r}{near(name, known)}")


def load(name: str) -> Family:
    """Import a family and return it. Raises LookupError as find() does."""
    return find(name).load()


def speaking(protocol: int) -> tuple[Entry, ...]:
    """Return the entries of a protocol (NETLINK_* of linux/netlink.h); of an unknown one none."""
    return tuple(entry for entry in FAMILIES if entry.protocol == protocol)


def near(word: str, known: Iterable[str]) -> str:
    """Return the end of an error about an unknown word: the nearest that is known, or all."""
    import difflib  # slow to import, and needed for errors only

    known = list(known)
    spelled = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), spelled, n=1)
    if found:
        return f"; did you mean '{spelled[found[0]]}'?"
    return f"; there are: {', '.join(known)}" if known else ""
