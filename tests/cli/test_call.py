"""``krakenasync call``."""

import json

import pytest

from krakenasync.cli import main


@pytest.mark.parametrize("name", ["TradeBalance", "tradebalance", "trade_balance"])
def test_a_call_by_any_of_its_names(name, environment, capsys):
    """Kraken's name in any case of letters, or the client's; the result alone stands on standard output."""
    assert main(["call", name, "asset=ZUSD", "--json"]) == 0
    shown = capsys.readouterr()
    assert "eb" in json.loads(shown.out)
    assert "TradeBalance - SANDBOX" in shown.err


def test_a_public_call_needs_no_key(kraken_sandbox, monkeypatch, capsys):
    """A public endpoint is called without a key, and people get indented JSON."""
    monkeypatch.setenv("KRAKEN_BASE_URL", kraken_sandbox.base_url)
    assert main(["call", "Depth", "pair=XBTUSD", "count=1"]) == 0
    text = capsys.readouterr().out
    assert len(json.loads(text)["XXBTZUSD"]["asks"]) == 1
    assert text.count("\n") > 5


def test_json_parameters_travel_nested(environment, capsys):
    """name:=JSON gives lists and objects."""
    order = {"ordertype": "limit", "type": "buy", "volume": "0.01", "price": "30000"}
    orders = json.dumps([order, {**order, "price": "29999"}])
    assert main(["call", "AddOrderBatch", "pair=XBTUSD", f"orders:={orders}", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["orders"]) == 2


def test_a_read_that_makes_something_is_asked_about(environment, monkeypatch, capsys):
    """As any write is; without the parameter it is a read."""
    asked = []
    monkeypatch.setattr("krakenasync.cli.call.agreed", lambda question, *_, **__: asked.append(question) or False)
    address = ["call", "DepositAddresses", "asset=XBT", "method=Bitcoin"]
    assert main([*address, "--json"]) == 0
    assert not asked
    assert main([*address, "new=true"]) == 130
    assert asked == ["DepositAddresses can change something. Call it?"]


def test_an_unknown_endpoint_can_be_called_all_the_same(environment, capsys):
    """With --kind it is sent; what Kraken says of it is a refusal."""
    assert main(["call", "Brandnew", "--kind", "public"]) == 1
    assert "Unknown method" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (["Blance"], "did you mean Balance"),
        (["Zzzzzz"], "krakenasync endpoints lists them"),
        (["Balance", "asset"], "write name=value"),
        (["Balance", "=x"], "write name=value"),
        (["AddOrderBatch", "orders:=[1"], "this is not JSON"),
        (["Balance", "--kind", "public"], "Balance is not public"),
        (["Balance", "--csv"], "no --csv"),
        (["Balance", "--kind", "secret"], "--kind"),
        ([], "NAME"),
    ],
)
def test_a_wrong_word_is_explained(tokens, said, environment, capsys):
    """Usage errors say what is wrong and exit with 2."""
    assert main(["call", *tokens]) == 2
    assert said in " ".join(capsys.readouterr().err.replace("│", " ").split())
