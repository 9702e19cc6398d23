"""Short programs that use the library. Run one with `python examples/NAME.py`.

A program must use only public names, because readers copy it.
"""
