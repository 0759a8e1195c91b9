"""``krakenasync order`` and ``krakenasync orders``."""

import asyncio
import json

import pytest

from krakenasync import OutcomeUnknown
from krakenasync.cli import main
from krakenasync.cli.connection import Connection
from krakenasync.cli.ordering import _place
from krakenasync.cli.orders import by_name
from krakenasync.client.orders import Intent, PlaceOrder

BUY = ["order", "buy", "XBTUSD", "0.01", "--price", "30000"]


def rows(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def place(capsys, *more):
    assert main([*BUY, "--json", *more]) == 0
    (placed,) = rows(capsys)
    return placed["id"]


def test_validate_sends_nothing_and_needs_no_key(environment, monkeypatch, capsys):
    """--validate shows the parameters under Kraken's names; nothing of it is sent."""
    monkeypatch.delenv("KRAKEN_API_KEY")
    monkeypatch.delenv("KRAKEN_API_SECRET")
    assert main([*BUY, "--flags", "post", "--lasting", "GTD", "--expires", "+60", "--validate", "--json"]) == 0
    sent = {row["parameter"]: row["value"] for row in rows(capsys)}
    assert sent.pop("cl_ord_id")
    assert sent == {
        "nonce": "made at the moment of sending",
        "ordertype": "limit",
        "type": "buy",
        "volume": "0.01",
        "price": "30000",
        "oflags": "post",
        "timeinforce": "GTD",
        "expiretm": "+60",
        "pair": "XBTUSD",
        "deadline": "5 s after sending, server time",
    }
    assert environment.stats.requests["AddOrder"] == 0


def test_check_asks_kraken_and_places_nothing(environment, capsys):
    """--check has Kraken itself look at the order."""
    assert main([*BUY, "--check"]) == 0
    assert "not placed - SANDBOX" in capsys.readouterr().out
    assert environment.stats.requests["AddOrder"] == 1
    assert main(["orders", "open", "--json"]) == 0
    assert rows(capsys) == []


def test_an_order_lives_through_its_commands(environment, capsys):
    """Placed, seen, amended, cancelled, seen again: by its id or the caller's own."""
    txid = place(capsys, "--cl-ord-id", "mine-1")
    for command in (["orders"], ["orders", "show", "mine-1"], ["orders", "show", txid]):
        assert main([*command, "--json"]) == 0
        (found,) = rows(capsys)
        assert (found["id"], found["status"], found["cl_ord_id"]) == (txid, "open", "mine-1")
    assert main(["order", "amend", "mine-1", "--price", "30001", "--json"]) == 0
    assert rows(capsys)[0]["now"] == "limit_price 30001"
    assert main(["order", "cancel", txid, "--json"]) == 0
    assert rows(capsys)[0]["status"] == "canceled"
    assert main(["orders", "closed", "--count", "1", "--json"]) == 0
    assert rows(capsys)[0]["id"] == txid


def test_cancel_all_counts(environment, capsys):
    """All orders of the account are gone, and their number is told."""
    place(capsys)
    place(capsys)
    assert main(["order", "cancel-all", "--json"]) == 0
    assert rows(capsys) == [{"cancelled": "2"}]


def test_an_order_that_cannot_be_cancelled_keeps_no_other_in_the_market(environment, capsys):
    """The others are cancelled and shown; then it is said of which one what."""
    first, last = place(capsys), place(capsys)
    assert main(["order", "cancel", first, "OAAAAA-AAAAA-AAAAAA", last, "--json"]) == 1
    told = capsys.readouterr()
    ended = [json.loads(line) for line in told.out.splitlines()]
    assert [(row["id"], row["status"]) for row in ended] == [(first, "canceled"), (last, "canceled")]
    assert told.err.count("error:") == 1
    assert "OAAAAA-AAAAA-AAAAAA:" in told.err.splitlines()


def test_a_key_that_is_refused_is_asked_about_once(environment, monkeypatch, capsys):
    """Nothing else would come of it, and Kraken locks out who tries too often. One order needs no name."""
    monkeypatch.setenv("KRAKEN_API_KEY", "k" * 56)
    for names in (["one", "two", "three"], ["one"]):
        assert main(["order", "cancel", *names]) == 1
        told = capsys.readouterr().err
        assert told.count("error:") == 1
        assert ("one:" in told.splitlines()) is (len(names) > 1)


def test_no_orders_is_a_table_too(environment, capsys):
    """An empty list says so, with its source."""
    assert main(["orders"]) == 0
    assert "Open orders - SANDBOX (0)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [BUY, ["order", "amend", "x", "--price", "1"], ["order", "cancel-all"], ["call", "CancelAll"]],
)
def test_live_without_a_terminal_needs_yes(command, live, typed, capsys):
    """Where nobody can be asked, nothing real is sent without --yes: exit code 2."""
    typed("", terminal=False)
    assert main(command) == 2
    assert "--yes" in capsys.readouterr().err
    assert sum(live.stats.requests[name] for name in ("AddOrder", "AmendOrder", "CancelAll")) == 0


@pytest.mark.parametrize("answer", ["", "\n", "n\n", "maybe\n"])
def test_live_on_a_terminal_asks_and_takes_no_for_an_answer(answer, live, typed, capsys):
    """Anything but a yes sends nothing; the question stands on standard error and names the order."""
    typed(answer)
    assert main(BUY) == 130
    shown = capsys.readouterr()
    assert "LIVE: buy 0.01 XBTUSD limit price 30000? [y/N]" in shown.err
    assert not shown.out
    assert live.stats.requests["AddOrder"] == 0


@pytest.mark.parametrize(("answer", "more"), [("y\n", []), ("Yes\n", []), ("", ["--yes"]), ("", ["-y"])])
def test_a_yes_places_it(answer, more, live, typed, capsys):
    """A yes, or --yes, places the order, once; the title says LIVE."""
    typed(answer)
    assert main([*BUY, *more]) == 0
    assert "Order placed - LIVE" in capsys.readouterr().out
    assert live.stats.requests["AddOrder"] == 1


def test_ctrl_c_ends_the_question(live, monkeypatch, capsys):
    """An interruption at the question is an interruption, and nothing was sent."""

    class Interrupted:
        def isatty(self):
            return True

        def readline(self):
            raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", Interrupted())
    assert main(BUY) == 130
    assert live.stats.requests["AddOrder"] == 0


def test_a_lost_answer_places_it_once_all_the_same(environment, capsys):
    """The order is found at Kraken instead of sent twice."""
    environment.faults.add("AddOrder", "answer-lost")
    assert main([*BUY, "--json"]) == 0
    (placed,) = rows(capsys)
    assert placed["note"].startswith("found at Kraken")
    assert main(["orders", "--json"]) == 0
    assert [row["id"] for row in rows(capsys)] == [placed["id"]]


def test_an_unknown_outcome_says_where_to_look(environment, monkeypatch, capsys):
    """Exit code 5, and the command that tells what became of the order."""

    async def doubtful(*_context):
        error = OutcomeUnknown("the order may have been placed", endpoint="AddOrder")
        error.cl_ord_id = "mine-2"
        raise error

    monkeypatch.setattr("krakenasync.client.client.place_order", doubtful)
    assert main(BUY) == 5
    assert "krakenasync orders show mine-2" in capsys.readouterr().err


@pytest.mark.asyncio
async def test_an_order_interrupted_half_way_says_that_it_may_exist(capsys):
    """Whoever presses Ctrl-C while an order is under way is told where to look."""

    class Client:
        async def place_order(self, *, on_intent, **wanted):
            on_intent(Intent(cl_ord_id="mine-3", order=PlaceOrder(**wanted).order(), lifetime=5.0))
            raise asyncio.CancelledError

    wanted = PlaceOrder(pair="XBTUSD", type="buy", ordertype="limit", volume="0.01", price="30000")
    with pytest.raises(asyncio.CancelledError):
        await _place(Connection(Client(), "LIVE"), wanted)
    assert "krakenasync orders show mine-3" in capsys.readouterr().err


def test_the_question_names_all_that_was_asked_for(live, typed, capsys):
    """Whoever says yes knows to what."""
    typed("n\n")
    stop = ["--type", "stop-loss-limit", "--price", "70000", "--price2", "71000", "--trigger", "index"]
    assert main(["order", "buy", "XBTUSD", "0.01", *stop, "--starts", "+3600", "--reduce-only"]) == 130
    said = "LIVE: buy 0.01 XBTUSD stop-loss-limit price 70000 price2 71000 trigger index starttm +3600 reduce_only?"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("command", [["cancel", "mine", "--yes"], ["cancel-all"], ["amend", "mine", "--volume", "1"]])
def test_every_change_can_be_looked_at_first(command, environment, capsys):
    """--validate shows what would be sent by each of them, and sends none."""
    assert main(["order", *command, "--validate", "--json"]) == 0
    assert rows(capsys)[0] == {"parameter": "nonce", "value": "made at the moment of sending"}
    assert sum(environment.stats.requests.values()) == 0


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (["order", "buy", "XBTUSD", "0.01"], "limit or market?"),
        (["order", "buy", "XBTUSD", "0.01", "--type", "market", "--price", "1"], "a market order has no --price"),
        (["order", "buy", "XBTUSD", "lots", "--type", "market"], "volume"),
        (["order", "buy", "XBTUSD", "0.01", "--type", "limt", "--price", "1"], "--type"),
        (["order", "buy", "XBTUSD"], "VOLUME"),
        (["order", "buy", "XBTUSD", "0.01", "--price", "1", "--deadline", "1"], "--deadline"),
        (["order", "by", "XBTUSD", "0.01"], "buy"),
        (["order", "buy", "0.01", "XBTUSD", "--price", "1"], "the pair comes first: krakenasync order buy XBTUSD 0.01"),
        (["orders", "opne"], "orders does not take 'opne'. Its commands are: open, closed, show"),
        (["order", "amend", "x"], "nothing to change"),
        (["order", "cancel"], "ORDER"),
        (["orders", "show"], "ORDER"),
        (["orders", "closed", "--start", "soon"], "not a point in time"),
    ],
)
def test_a_wrong_word_is_explained_before_anything_is_sent(tokens, said, environment, capsys):
    """Usage errors say what is wrong and exit with 2."""
    assert main(tokens) == 2
    assert said in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert environment.stats.requests["AddOrder"] == 0


@pytest.mark.parametrize("amount", ["1e999", "1e999999999", "nan", "inf", "0", "-1", "", " ", "abc", "0,5"])
def test_an_amount_that_cannot_be_is_refused_here(amount, environment, capsys):
    """Such a volume is refused with what to do about it, before anything is sent; exit code 2."""
    assert main(["order", "buy", "XBTUSD", amount, "--price", "30000"]) == 2
    said, hint = capsys.readouterr().err.splitlines()
    assert said.startswith(("error: volume=" + amount, f"error: volume={amount!r}"))
    assert hint.startswith("hint: ")
    assert sum(environment.stats.requests.values()) == 0


@pytest.mark.parametrize("amount", ["1e999", "nan", "-1", "abc"])
def test_an_order_is_not_amended_to_an_amount_that_cannot_be(amount, environment, capsys):
    """The same of a volume that is changed; 0 is Kraken's to judge, which cancels what has filled beyond it."""
    assert main(["order", "amend", "mine", f"--volume={amount}"]) == 2
    assert "order_qty=" in capsys.readouterr().err
    assert sum(environment.stats.requests.values()) == 0


@pytest.mark.parametrize("price", ["1e999", "nan", "inf", "0", "", "abc", "30.000,5"])
def test_a_price_that_cannot_be_is_refused_here(price, environment, capsys):
    """The same of a price, whether the order is new or changed."""
    assert main(["order", "sell", "XBTUSD", "0.01", f"--price={price}"]) == 2
    said, hint = capsys.readouterr().err.splitlines()
    assert "price=" in said
    assert hint.startswith("hint: ")
    assert main(["order", "amend", "mine", f"--price={price or 'x'}"]) == 2
    assert sum(environment.stats.requests.values()) == 0


def test_a_relative_price_is_called_one(live, typed, capsys):
    """-1 is Kraken's word for 1 below the market: the question says so."""
    typed("n\n")
    assert main(["order", "buy", "XBTUSD", "0.01", "--price", "-1"]) == 130
    assert "limit price -1 (price relative to the market)? [y/N]" in capsys.readouterr().err


def test_an_order_that_is_not_there_is_said(environment, capsys):
    """An unknown order is a refusal: 1."""
    assert main(["orders", "show", "nobody"]) == 1
    assert "no order with the cl_ord_id 'nobody'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["ticker-7", "6d1b345e-2821-40e2-ad83-4ecb18a06876", "oabcde-fghij-klmnop"])
def test_an_id_of_ones_own_is_told_from_krakens(name):
    """Only Kraken's own shape is a txid."""
    assert by_name(name) == {"cl_ord_id": name}
