"""A Kraken that fits in a test: Spot REST on this machine, with accounts, counters, a market, orders and faults."""

try:
    from krakenasync.sandbox.accounts import Account, ApiKey
    from krakenasync.sandbox.config import ALL_PERMISSIONS, ExtraKey, SandboxConfig
    from krakenasync.sandbox.faults import FAULTS, Fault, Faults
    from krakenasync.sandbox.sandbox import AnswerLost, Sandbox
    from krakenasync.sandbox.server import run, serve
    from krakenasync.sandbox.stats import Stats
except ModuleNotFoundError as missing:
    if missing.name is None or missing.name.partition(".")[0] not in {"starlette", "uvicorn"}:
        raise
    raise ModuleNotFoundError(
        f"the sandbox needs {missing.name}, which is not installed: pip install 'krakenasync[sandbox]'",
        name=missing.name,
    ) from None

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
