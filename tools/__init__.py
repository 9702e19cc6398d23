"""Tools for those who work on the package; nobody who only uses it needs them."""
