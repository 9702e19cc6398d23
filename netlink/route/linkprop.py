"""Ops and plans for alternative names of links: IFLA_PROP_LIST, which has no other property yet.

This file does not read the names: every link message contains them (`Link.prop_list`). The kernel
has no handler for RTM_GETLINKPROP (Linux 6.12, rtnetlink_init in net/core/rtnetlink.c). The plans
use the words of `ip link property`.
"""

from netlink.constants import ALTIFNAMSIZ, NLM_F
from netlink.family import Op, Steps, plan
from netlink.route.link import Dev, Link, needed_index
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.words import Words

new = Op("linkprop.new", RTM.RTM_NEWLINKPROP, Link, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
delete = Op("linkprop.delete", RTM.RTM_DELLINKPROP, Link)

ROUTE.add(new, delete)


@plan
def add(dev: Dev, *names: str) -> Steps[None]:
    """Add alternative names to a link. A name has at most 127 bytes.

    Raises KernelError: EEXIST if a name is in use, ENODEV if the link does not exist.
    """
    yield from _write("linkprop.add", new, dev, names)


@plan
def remove(dev: Dev, *names: str) -> Steps[None]:
    """Remove alternative names from a link.

    Raises KernelError: ENOENT if a name does not exist, ENODEV if the link does not exist.
    """
    yield from _write("linkprop.remove", delete, dev, names)


def _write(place: str, op: Op[..., None, Link], dev: Dev, names: tuple[str, ...]) -> Steps[None]:
    words = Words(place, {"dev": dev})
    if not names:
        words.refuse("needs at least one name")
    given = {f"names[{position}]": name for position, name in enumerate(names)}
    for position in given:
        if not Words(place, given).has(position):
            raise Words(place, given).expected(position, "a str")
        Words(place, given).text(position, ALTIFNAMSIZ)
    yield op(index=(yield from needed_index(words)), prop_list={"alt_ifname": names})
