"""`python -m ddmi_core.cli`: the same as `ddmi`."""

import sys

from ddmi_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
