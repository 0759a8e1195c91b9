"""``python -m krakenasync.cli``: the command line."""

import sys

from krakenasync.cli import main

if __name__ == "__main__":
    sys.exit(main())
