"""Kraken's Spot documentation as types: one module per section, each request next to its result."""
