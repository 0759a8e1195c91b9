"""A Kraken that fits in a test: Spot REST on this machine, with accounts, counters, a market, orders and faults."""

from krakenasync.sandbox.accounts import Account, ApiKey
from krakenasync.sandbox.config import ALL_PERMISSIONS, ExtraKey, SandboxConfig
from krakenasync.sandbox.faults import FAULTS, Fault, Faults
from krakenasync.sandbox.sandbox import AnswerLost, Sandbox
from krakenasync.sandbox.server import run, serve
from krakenasync.sandbox.stats import Stats

__all__ = [
    "ALL_PERMISSIONS",
    "FAULTS",
    "Account",
    "AnswerLost",
    "ApiKey",
    "ExtraKey",
    "Fault",
    "Faults",
    "Sandbox",
    "SandboxConfig",
    "Stats",
    "run",
    "serve",
]
