"""Kraken's rules as pure functions and data: no I/O, no clock, no chance. Client and sandbox obey the same ones."""
