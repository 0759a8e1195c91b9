"""Where a write leaves its traces: what to look at when its answer was lost, before doing anything again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from krakenasync.protocol.quoting import quoted

__all__ = ["where_to_look"]

_ORDERS: Final = "open_orders() and closed_orders()"
_TRACES: Final = {
    "CancelOrder": "query_orders()",
    "AmendOrder": "order_amends()",
    "AddExport": "export_status()",
    "RemoveExport": "export_status()",
    "DepositAddresses": "deposit_addresses()",
    "Withdraw": "withdraw_status() and ledgers()",
    "WithdrawCancel": "withdraw_status()",
    "WalletTransfer": "balance() and ledgers()",
    "AccountTransfer": "balance() of both accounts and ledgers()",
    "CreateSubaccount": "the list of subaccounts in Kraken's settings",
    "Earn/Allocate": "earn_allocate_status() and earn_allocations()",
    "Earn/Deallocate": "earn_deallocate_status() and earn_allocations()",
    "FundingBeta/DepositAddressClaim": "funding_beta_deposit_addresses()",
    "FundingBeta/AddressesCreate": "funding_beta_addresses_list()",
    "FundingBeta/AddressesUpdate": "funding_beta_addresses_list()",
    "FundingBeta/AddressesDelete": "funding_beta_addresses_list()",
    "FundingBeta/WithdrawalsCreate": "funding_beta_withdrawals_list() and ledgers()",
}
"""By Kraken's name of the call; calls not listed are about orders, or not known to this version."""
_ALONE: Final = {"AddOrder": "; place_order() looks by itself", "CancelOrder": "; ensure_cancelled() looks by itself"}
"""Calls that have a counterpart which finds out how they ended."""


def where_to_look(name: str, params: Mapping[str, Any]) -> str:
    """Return how to find out the outcome of a write.

    >>> where_to_look("Withdraw", {})
    'look at withdraw_status() and ledgers() before doing it again'
    """
    alone = _ALONE.get(name, "")
    if cl_ord_id := params.get("cl_ord_id"):
        by = f"cl_ord_id={quoted(cl_ord_id)}"
        return f"look it up: open_orders({by}), then closed_orders({by}){alone}"
    return f"look at {_TRACES.get(name, _ORDERS)} before doing it again{alone}"
