"""`python -m netlink`: the command line, where the script `netlink` is not on the path."""

import sys

from netlink.cli import main

sys.exit(main())
