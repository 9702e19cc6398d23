"""The table of facts: the names, numbers, kinds and byte orders of the kernel.

    python -m tools.facts --kernel TREE --headers FOLDER --specs FOLDER@RELEASE -o tests/facts.tsv

This file defines the format of the table. Its command makes the table from the headers, C sources
and specs that it is given. It must not read the declarations: check_declarations.py compares them,
and needs only the table. So a fresh clone can check itself.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from tools import outside, sources, uapi

# The headers of each family, and the names of its specs.
FAMILIES = {
    "nlctrl": "nlctrl linux/netlink.h linux/genetlink.h sys/socket.h",
    "route": """rt-* tc
        linux/rtnetlink.h linux/if_link.h linux/if_addr.h linux/if_addrlabel.h linux/neighbour.h
        linux/fib_rules.h linux/nexthop.h linux/netconf.h linux/net_namespace.h linux/dcbnl.h
        linux/if_bridge.h linux/mrp_bridge.h linux/cfm_bridge.h linux/mroute.h linux/mroute6.h
        linux/gen_stats.h linux/lwtunnel.h linux/mpls.h linux/mpls_iptunnel.h linux/seg6.h
        linux/seg6_iptunnel.h linux/seg6_local.h linux/rpl.h linux/rpl_iptunnel.h linux/ioam6.h
        linux/ioam6_iptunnel.h linux/ila.h linux/snmp.h linux/icmpv6.h linux/in.h linux/ip.h
        linux/ipv6.h linux/ip6_tunnel.h linux/if_tunnel.h linux/if.h linux/if_arp.h
        linux/if_ether.h linux/if_vlan.h linux/if_bonding.h linux/if_macsec.h linux/if_tun.h
        linux/veth.h linux/wwan.h linux/can.h linux/can/netlink.h linux/can/vxcan.h
        linux/caif/if_caif.h linux/batman_adv.h linux/amt.h linux/pkt_sched.h linux/pkt_cls.h
        linux/tc_act/tc_bpf.h linux/tc_act/tc_connmark.h linux/tc_act/tc_csum.h
        linux/tc_act/tc_ct.h linux/tc_act/tc_ctinfo.h linux/tc_act/tc_defact.h
        linux/tc_act/tc_gact.h linux/tc_act/tc_gate.h linux/tc_act/tc_ife.h
        linux/tc_act/tc_mirred.h linux/tc_act/tc_mpls.h linux/tc_act/tc_nat.h
        linux/tc_act/tc_pedit.h linux/tc_act/tc_sample.h linux/tc_act/tc_skbedit.h
        linux/tc_act/tc_skbmod.h linux/tc_act/tc_tunnel_key.h linux/tc_act/tc_vlan.h
        linux/tc_ematch/tc_em_cmp.h linux/tc_ematch/tc_em_ipt.h linux/tc_ematch/tc_em_meta.h
        linux/tc_ematch/tc_em_nbyte.h linux/tc_ematch/tc_em_text.h linux/ife.h linux/filter.h
        linux/netfilter/xt_set.h linux/sched.h""",
    "TASKSTATS": "linux/taskstats.h linux/cgroupstats.h linux/acct.h",
    "VFS_DQUOT": "linux/quota.h",
    "ethtool": "ethtool linux/ethtool_netlink.h linux/ethtool_netlink_generated.h linux/ethtool.h",
    "devlink": "devlink linux/devlink.h",
    "nl80211": "nl80211 linux/nl80211.h",
    "wireguard": "wireguard linux/wireguard.h",
    "ovs": "ovs_* linux/openvswitch.h",
    "team": "team linux/if_team.h",
    "dpll": "dpll linux/dpll.h",
    "netdev": "netdev linux/netdev.h",
    "net-shaper": "net-shaper linux/net_shaper.h",
    "mptcp_pm": "mptcp_pm linux/mptcp_pm.h linux/mptcp.h",
    "tcp_metrics": "tcp_metrics linux/tcp_metrics.h",
    "fou": "fou linux/fou.h",
    "handshake": "handshake linux/handshake.h",
    "nfsd": "nfsd linux/nfsd_netlink.h",
    "lockd": "lockd linux/lockd_netlink.h",
    "ovpn": "ovpn linux/ovpn.h",
    "psp": "psp linux/psp.h",
    "psample": "linux/psample.h",
    "l2tp": "linux/l2tp.h",
    "SEG6": "linux/seg6_genl.h linux/seg6_hmac.h",
    "IOAM6": "linux/ioam6_genl.h",
    "gtp": "linux/gtp.h",
    "HSR": "linux/hsr_netlink.h",
    "thermal": "linux/thermal.h",
    "nbd": "linux/nbd-netlink.h",
    "IPVS": "linux/ip_vs.h",
    "NET_DM": "linux/net_dropmon.h",
    "netfilter": """conntrack nftables
        linux/netfilter.h linux/netfilter/nfnetlink.h linux/netfilter/nfnetlink_conntrack.h
        linux/netfilter/nfnetlink_queue.h linux/netfilter/nfnetlink_log.h
        linux/netfilter/nfnetlink_acct.h linux/netfilter/nfnetlink_cthelper.h
        linux/netfilter/nfnetlink_cttimeout.h linux/netfilter/nfnetlink_hook.h
        linux/netfilter/nfnetlink_osf.h linux/netfilter/nf_tables.h
        linux/netfilter/nf_conntrack_common.h linux/netfilter/nf_conntrack_tcp.h
        linux/netfilter/nf_conntrack_sctp.h linux/netfilter/nf_nat.h
        linux/netfilter/ipset/ip_set.h""",
    "sock_diag": """linux/sock_diag.h linux/inet_diag.h linux/unix_diag.h linux/packet_diag.h
        linux/netlink_diag.h linux/vm_sockets_diag.h linux/tipc_sockets_diag.h linux/smc_diag.h
        linux/xdp_diag.h linux/tcp.h linux/mptcp.h linux/tls.h linux/tipc_netlink.h""",
    "audit": "linux/audit.h",
    "connector": "linux/connector.h linux/cn_proc.h",
    "xfrm": "linux/xfrm.h",
}

USAGE = "Write the table of facts about netlink, from the headers, sources and specs of kernels."
TITLE = """\
# Facts about netlink, made by `python -m tools.facts`: do not edit. One line is one fact, and each
# constant, member of a struct, choice of a sub-message and group has at least one line.
# number: that of an attribute, the offset of a member, the size of a struct (attribute "-").
# kind: words around it first, then its bytes, or the set of a nest. order: big, host, - (unknown).
# source: h = headers, p = policies, c = calls, s = specs, with the kernel release: "hp6.12 s6.15".
"""
COLUMNS = ("family", "set", "attribute", "number", "kind", "order", "source")
INTEGER = {f"{sign}{bits}": bits // 8 for sign in "us" for bits in (8, 16, 32, 64)}
WRAPPERS = {"repeated", "array", "mapping"}
BYTES = {"address", "mac", "struct", "scalars", "selected"}  # kinds that a source may call bytes
C_TYPES = {f"__{kind}": kind for kind in INTEGER} | {
    "unsigned char": "u8", "unsigned short": "u16", "unsigned int": "u32", "short": "s16",
    "int": "s32", "struct in_addr": "address", "struct in6_addr": "address",
}  # fmt: skip


@dataclass(frozen=True, order=True)
class Kind:
    """The kind of a value: its wrappers ("repeated", "array"), its base ("u32") and an argument.

    The argument is a number of bytes, or the name of a nest, struct or sub-message. `order` is the
    byte order, or "-" if the source does not state it. Without it, only the width of an integer is
    known.
    """

    wrappers: tuple[str, ...]
    base: str
    argument: str = ""
    order: str = "-"

    @classmethod
    def parse(cls, text: str, order: str) -> Kind:
        words = text.split(" ")
        count = next((n for n, word in enumerate(words) if word not in WRAPPERS), 0)
        return cls(tuple(words[:count]), words[count], " ".join(words[count + 1 :]), order)

    def __str__(self) -> str:
        return " ".join(filter(None, [*self.wrappers, self.base, self.argument]))

    def implies(self, other: Kind) -> bool:
        """Return whether this kind states everything that another kind states."""
        if other.base == "-" or self == other:
            return True
        if other.wrappers not in ((), self.wrappers):
            return False
        if other.order not in ("-", self.order):
            return False
        if other.argument not in ("", self.argument):
            return False
        if other.base in INTEGER and other.order == "-":
            return self.order != "-" and self.says(other)
        if other.base == "binary":
            return self.base == "binary" or self.base in BYTES
        return self.base == other.base or (self.base, other.base) == ("selected", "nest")

    def says(self, policy: Kind) -> bool:
        """Return whether an integer fits a policy. A policy may call a signed integer unsigned."""
        is_as_wide = INTEGER.get(self.base) == INTEGER[policy.base]
        return is_as_wide and policy.base[0] in ("u", self.base[0])


@dataclass(frozen=True)
class Fact:
    """One line of the table. For a constant, `set` is the C prefix and `attribute` the rest."""

    family: str
    set: str
    attribute: str
    number: int | None
    kind: Kind
    source: str = field(compare=False)

    @property
    def name(self) -> str:
        """The full C name of a constant, "" for other facts."""
        if self.set.isupper() and self.set.replace("_", "").isalnum():
            return f"{self.set}_{self.attribute}"
        return self.attribute if is_loose(self.set) else ""

    @property
    def struct(self) -> str:
        """The name of the struct whose size or member this is, "" for other facts."""
        return self.set.partition("struct ")[2]

    def __str__(self) -> str:
        number = "-" if self.number is None else self.number
        row = (self.family, self.set, self.attribute, number, self.kind, self.kind.order)
        return "\t".join(map(str, (*row, self.source)))


def is_loose(group: str) -> bool:
    """Return whether a group of constants has no common prefix: a header, or an enum by its tag."""
    return group.endswith(".h") or group.startswith("enum")


def joined(*sources: str) -> str:
    """Return several sources as one: "hp6.12" for "h6.12" and "p6.12". A later letter wins."""
    releases: dict[str, str] = {}
    for word in " ".join(sources).split():
        letters = word.rstrip("0123456789.")
        releases |= dict.fromkeys(letters, word.removeprefix(letters))
    grouped: dict[str, str] = {}
    for letter in sorted(releases, key="hpcs".index):
        grouped[releases[letter]] = grouped.get(releases[letter], "") + letter
    return " ".join(letters + release for release, letters in grouped.items())


def dump(facts: Iterable[Fact]) -> str:
    """Return the table as text, sorted."""
    lines = sorted(facts, key=lambda f: (f.family, f.set, f.number or 0, f.attribute, f.kind))
    return TITLE + "\n".join(["\t".join(COLUMNS), *map(str, lines)]) + "\n"


def load(text: str) -> Iterator[Fact]:
    """Yield the facts of a table."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for line in lines[1:]:
        family, group, attribute, number, kind, order, source = line.split("\t")
        count = None if number == "-" else int(number)
        yield Fact(family, group, attribute, count, Kind.parse(kind, order), source)


class Collector:
    """Merges facts of several sources into one line, unless they contradict each other."""

    def __init__(self) -> None:
        self._facts: dict[tuple[str, str, str, int | None], list[Fact]] = {}

    def add(self, fact: Fact) -> None:
        """Add a fact. If two facts agree, the source that was added first is kept."""
        same = self._facts.setdefault((fact.family, fact.set, fact.attribute, fact.number), [])
        for place, known in enumerate(same):
            if known.kind.implies(fact.kind) or fact.kind.implies(known.kind):
                kind = known.kind if known.kind.implies(fact.kind) else fact.kind
                same[place] = replace(known, kind=kind, source=joined(fact.source, known.source))
                return
        same.append(fact)

    def __iter__(self) -> Iterator[Fact]:
        for facts in self._facts.values():
            yield from facts


def of_headers(family: str, headers: uapi.Headers, source: str) -> Iterator[Fact]:
    """Yield the constants and structs of the headers of a family."""
    unknown = Kind((), "-")
    for name, constant in headers.constants.items():
        yield Fact(family, *split(constant.group, name), constant.number, unknown, source)
    for name, struct in headers.structs.items():
        yield Fact(family, f"struct {name}", "-", struct.size, Kind((), "struct"), source)
        for inner, member in struct.members.items():
            yield Fact(family, f"struct {name}", inner, member.offset, c_kind(member), source)


def split(group: str, name: str) -> tuple[str, str]:
    """Return the set and the attribute of a constant."""
    return group, name if is_loose(group) else name.removeprefix(f"{group}_")


def c_kind(member: uapi.Member) -> Kind:
    """Return the kind of a member of a C struct. The argument is its size, if the base has none."""
    base, order = C_TYPES.get(member.type, "-"), "-"
    if big := member.type.startswith("__be"):
        base = f"u{member.type[4:]}"
    if member.type == "char":
        base = "s8" if member.size == 1 else "binary"
    if base in INTEGER:
        order = "big" if big else "host"
    return Kind((), base, "" if INTEGER.get(base) == member.size else str(member.size), order)


def of_sources(tree: Path, known: dict[str, list[Fact]], release: str) -> Iterator[Fact]:
    """Yield the kinds that the sources of a kernel tree state for known constants."""
    for entry in sources.read(tree):
        for fact in known.get(entry.name, ()):
            source = f"{'p' if entry.is_policy else 'c'}{release}"
            yield replace(fact, kind=Kind.parse(entry.kind, entry.order), source=source)


def of_specs(folder: Path, known: dict[str, list[Fact]], source: str) -> Iterator[Fact]:
    """Yield the kinds that the specs of a folder state for known constants, and their groups.

    An attribute that a spec names or numbers differently is reported to stderr and left out.
    """
    from tools import specs  # needs PyYAML; the rest of this file does not

    for spec in specs.read(folder):
        family = family_of(spec.name)
        if family is None:
            report(f"skipped the spec {spec.name}: add it and its headers to FAMILIES")
            continue
        mine = {n: f for n, facts in known.items() for f in facts if f.family == family}
        constants = {name: (fact.set, fact.number or 0) for name, fact in mine.items()}
        names = specs.Names(spec, constants)
        for entry in specs.entries(spec, names):
            kind = Kind.parse(entry.kind, entry.order)
            yield replace(mine[entry.name], number=entry.number, kind=kind, source=source)
        for message, value, target in specs.choices(spec, names):
            yield Fact(family, message, value, None, Kind((), "nest", target), source)
        if spec.is_generic:
            for group in spec.groups:
                yield Fact(spec.name, "group", group, None, Kind((), "group"), source)
        for lost in names.lost:
            report(f"skipped {lost}: the headers do not have it with this number")


def family_of(spec: str) -> str | None:
    """Return the family that a spec belongs to, or None."""
    for family, words in FAMILIES.items():
        if any(fnmatch(spec, word) for word in words.split()):
            return family
    return None


def by_name(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    """Return the constants among some facts by their C names."""
    known: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.name:
            known.setdefault(fact.name, []).append(fact)
    return known


def report(text: str) -> None:
    """Print a line to stderr."""
    print(text, file=sys.stderr)


def collect(
    headers: Iterable[Path], trees: Iterable[Path], spec_folders: Iterable[tuple[Path, str]]
) -> list[Fact]:
    """Return the facts of include folders, kernel trees and folders of specs with their release."""
    trees = list(trees)
    folders = [*headers, *(tree / "include/uapi" for tree in trees)]
    releases = {folder: uapi.release(folder) for folder in folders}
    oldest_first = sorted(folders, key=lambda folder: [*map(int, releases[folder].split("."))])
    read = [
        (folder, family, uapi.Headers(folder, [w for w in words.split() if w.endswith(".h")]))
        for folder in oldest_first
        for family, words in FAMILIES.items()
    ]
    groups = {name: c.group for _, _, found in read for name, c in found.constants.items()}
    table = Collector()
    for folder, family, found in read:
        found.constants = {  # the newest headers decide which constants form a group
            name: replace(c, group=groups[name]) for name, c in found.constants.items()
        }
        for fact in of_headers(family, found, f"h{releases[folder]}"):
            table.add(fact)
    known = by_name(table)
    for tree in trees:
        for fact in of_sources(tree, known, releases[tree / "include/uapi"]):
            table.add(fact)
    for folder, release in spec_folders:
        for fact in of_specs(folder, known, f"s{release}"):
            table.add(fact)
    return list(table)


def headers_of(text: str) -> Path:
    """Return an include folder that states its release."""
    folder = Path(text)
    if not (folder / "linux").is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} contains no folder 'linux'")
    _release(folder)
    return folder


def tree_of(text: str) -> Path:
    """Return a kernel source tree."""
    headers_of(f"{text}/include/uapi")
    return Path(text)


def specs_of(text: str) -> tuple[Path, str]:
    """Return a folder of specs and its release. A folder in a kernel tree needs no "@RELEASE"."""
    folder, _, release = text.partition("@")
    if not any(Path(folder).glob("*.yaml")):
        raise argparse.ArgumentTypeError(f"{folder!r} contains no YAML file")
    return Path(folder), release or _release(Path(folder))


def _release(folder: Path) -> str:
    try:
        return uapi.release(folder)
    except FileNotFoundError as error:
        raise argparse.ArgumentTypeError(f"{error}; for specs, write FOLDER@RELEASE") from None


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.facts", description=USAGE)
    option = partial(parser.add_argument, action="append", default=[])
    option("--kernel", type=tree_of, metavar="TREE", help="kernel source tree")
    option("--headers", type=headers_of, metavar="FOLDER", help="installed include folder")
    option(
        "--specs",
        type=specs_of,
        metavar="FOLDER@RELEASE",
        help="folder of YAML files (default: the environment variable NETLINK_SPECS)",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="file of the new table")
    options = parser.parse_args(arguments)
    try:
        folders = options.specs or [specs_of(str(folder)) for folder in [outside.specs()] if folder]
    except (FileNotFoundError, argparse.ArgumentTypeError) as error:
        parser.error(str(error))
    if not options.headers + options.kernel:
        parser.error("--headers or --kernel is required: names and numbers come from headers")
    facts = collect(options.headers, options.kernel, folders)
    options.output.write_text(dump(facts))
    report(f"{options.output}: {len(facts)} facts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
