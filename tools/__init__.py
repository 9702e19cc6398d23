"""Tools for people who change the library: the table of facts, and the check of declarations.

The library must not import this package, and the wheel does not contain it.
"""
