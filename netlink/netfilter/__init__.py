"""Netfilter (NETLINK_NETFILTER): one file for each subsystem, each with a family of its own."""
