"""Where counters and nonces live: in this process (`memory`), on this machine or on many."""
