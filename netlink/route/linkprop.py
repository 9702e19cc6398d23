"""Alternative names of links: the properties in IFLA_PROP_LIST, which so far hold nothing else.

They come with every link (`Link.prop_list`); RTM_GETLINKPROP has a number and no handler (Linux
6.12, rtnetlink_init in net/core/rtnetlink.c). The plans are the words of `ip link property`.
"""

from netlink.constants import ALTIFNAMSIZ, NLM_F
from netlink.family import Op, Steps, plan
from netlink.route.link import Dev, Link, needed_index
from netlink.route.rtnetlink import ROUTE, RTM
from netlink.route.words import Words

new = Op("linkprop.new", RTM.RTM_NEWLINKPROP, Link, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
delete = Op("linkprop.delete", RTM.RTM_DELLINKPROP, Link)

ROUTE.add(new, delete)


@plan
def add(dev: Dev, *names: str) -> Steps[None]:
    """Give a link more names, of up to 127 bytes each. Raises KernelError (EEXIST, ENODEV)."""
    yield from _write("linkprop.add", new, dev, names)


@plan
def remove(dev: Dev, *names: str) -> Steps[None]:
    """Take alternative names from a link. Raises KernelError (ENOENT, ENODEV)."""
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
