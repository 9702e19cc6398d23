"""Generic Netlink: one file for each family, and plans that ask nlctrl about all families.

A connection accepts these families like any other. It asks nlctrl for the ID of a family when the
family is first used, and nlctrl reports changes of the ID. Only nlctrl may be imported by other
families:

    from netlink.generic import nlctrl, taskstats

    with Connection(nlctrl.FAMILY, taskstats.FAMILY) as nl:
        for family in nl.do(nlctrl.list_families()):
            print(family.family_id, family.family_name)

docs/family.md shows how to declare a family.
"""

from netlink.generic.nlctrl import find_family, list_families, policy

__all__ = ["find_family", "list_families", "policy"]
