"""How the extension modules were built, as far as tests depend on it."""

import os

# The run-time library of the address sanitizer must be loaded before Python (see .ci/run).
IS_SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")
