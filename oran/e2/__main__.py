"""`python -m oran.e2`: the message inspector."""

import sys

from oran.e2.inspector import main

if __name__ == "__main__":
    sys.exit(main())
