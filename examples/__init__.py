"""Short programs that use the library: each runs as it stands, `python examples/NAME.py`."""
