"""Generic Netlink: a file a family, and nlctrl, which knows them all.

A connection takes these families as any other, asks nlctrl for the number of each when it is first
used, and hears when that changes:

    from netlink.generic import nlctrl, taskstats

    with Connection(nlctrl.FAMILY, taskstats.FAMILY) as nl:
        for family in nl.do(nlctrl.list_families()):
            print(family.family_id, family.family_name)

docs/family.md shows how to declare one.
"""

from netlink.generic.nlctrl import find_family, list_families, policy

__all__ = ["find_family", "list_families", "policy"]
