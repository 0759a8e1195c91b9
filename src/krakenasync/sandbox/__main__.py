"""``python -m krakenasync.sandbox``: a sandbox with the default settings; the command line has the switches."""

from krakenasync.sandbox.server import run

if __name__ == "__main__":
    run()
