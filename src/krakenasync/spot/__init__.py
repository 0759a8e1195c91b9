"""Kraken's Spot documentation as types: one module per section, each request beside its result."""
