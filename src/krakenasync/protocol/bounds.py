"""How many, how long and how soon: the numbers that Kraken's trading calls have to keep within.

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
"""Orders of an AddOrderBatch, at least and at most."""
CANCELLED_AT_ONCE: Final = 50
"""Ids of a CancelOrderBatch, of all kinds together."""
ORDER_IDS: Final = 50
"""Ids of a QueryOrders."""
HISTORY_IDS: Final = 20
"""Ids of a QueryTrades or a QueryLedgers."""
ICEBERG_PARTS: Final = 15
"""An iceberg shows at least one part in so many."""
DEADLINE: Final = (2, 60)
"""Seconds after its arrival at which a call's `deadline` may lie."""
EXPIRY: Final = (5, 31 * 86_400)
"""Seconds after which an order may expire."""
LONGEST_SWITCH: Final = 86_399
"""Seconds after which a dead man's switch fires, at most."""
