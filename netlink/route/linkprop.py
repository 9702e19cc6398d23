"""Alternative names of links: the properties in IFLA_PROP_LIST, which so far hold nothing else.

They come with every link (`Link.prop_list`); RTM_GETLINKPROP has a number and no handler (Linux
6.12, rtnetlink_init in net/core/rtnetlink.c). The plans are the words of `ip link property`.
"""

from netlink.constants import NLM_F
from netlink.family import Op, Steps, plan
from netlink.route.link import Dev, Link, selector
from netlink.route.rtnetlink import ROUTE, RTM

new = Op("linkprop.new", RTM.RTM_NEWLINKPROP, Link, flags=NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL)
delete = Op("linkprop.delete", RTM.RTM_DELLINKPROP, Link)

ROUTE.add(new, delete)


@plan
def add(dev: Dev, *names: str) -> Steps[None]:
    """Give a link more names, of up to 127 bytes each. Raises KernelError (EEXIST)."""
    yield new(**selector(dev), prop_list={"alt_ifname": names})


@plan
def remove(dev: Dev, *names: str) -> Steps[None]:
    """Take alternative names from a link. Raises KernelError (ENOENT)."""
    yield delete(**selector(dev), prop_list={"alt_ifname": names})
