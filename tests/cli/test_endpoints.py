"""``krakenasync endpoints``."""

import json

from krakenasync.cli import main
from krakenasync.spot.catalog import ENDPOINTS


def rows(capsys, *tokens):
    assert main(["endpoints", "--json", *tokens]) == 0
    return {row["method"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}


def test_every_endpoint_is_listed(capsys):
    """The list is the catalogue."""
    assert rows(capsys).keys() == ENDPOINTS.keys()


def test_a_word_narrows_the_list(capsys):
    """Only names and sections with the word remain."""
    assert rows(capsys, "AddOrder").keys() == {"add_order", "add_order_batch"}


def test_permission_cost_and_effect_are_told(capsys):
    """The columns say what a key needs, what counter rises and what the call does."""
    found = rows(capsys)
    assert found["balance"] == {
        "method": "balance",
        "Kraken's name": "Balance",
        "permission": "query-funds",
        "cost": "1 per key",
        "effect": "read",
    }
    assert found["ledgers"]["cost"] == "4 (or 2) per key"
    assert found["add_order"]["cost"] == "engine, per pair"
    assert found["ohlc"]["cost"] == "1 per IP and pair"
    assert found["withdraw"]["effect"] == "funds"
    assert found["deposit_addresses"]["effect"] == "read, with new write"


def test_a_word_without_a_hit_is_said(capsys):
    """An empty list is no riddle."""
    assert main(["endpoints", "nothing"]) == 0
    assert "nothing has 'nothing'" in capsys.readouterr().err
