"""How many, how long and how soon: the bounds of Kraken's trading calls.

Sources: https://docs.kraken.com/api/docs/rest-api/add-order, https://docs.kraken.com/api/docs/rest-api/add-order-batch,
https://docs.kraken.com/api/docs/rest-api/cancel-order-batch,
https://docs.kraken.com/api/docs/rest-api/cancel-all-orders-after, https://docs.kraken.com/api/docs/rest-api/get-orders-info,
https://docs.kraken.com/api/docs/rest-api/get-trades-info, https://docs.kraken.com/api/docs/rest-api/get-ledgers-info
"""

from typing import Final

__all__ = [
    "BATCH",
    "CANCELLED_AT_ONCE",
    "DEADLINE",
    "EXPIRY",
    "HISTORY_IDS",
    "ICEBERG_PARTS",
    "LONGEST_SWITCH",
    "ORDER_IDS",
]

BATCH: Final = (2, 15)
"""Least and most orders in an AddOrderBatch."""
CANCELLED_AT_ONCE: Final = 50
"""Most ids in a CancelOrderBatch, of all kinds together."""
ORDER_IDS: Final = 50
"""Most ids in a QueryOrders."""
HISTORY_IDS: Final = 20
"""Most ids in a QueryTrades or a QueryLedgers."""
ICEBERG_PARTS: Final = 15
"""An iceberg shows at least its volume divided by this."""
DEADLINE: Final = (2, 60)
"""Least and most seconds after a call's arrival at which its `deadline` may lie."""
EXPIRY: Final = (5, 31 * 86_400)
"""Least and most seconds after which an order may expire."""
LONGEST_SWITCH: Final = 86_399
"""Most seconds after which a dead man's switch may fire."""
