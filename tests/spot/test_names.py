"""Names: whatever Kraken calls an asset or a pair, and the traps among those names."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_UP, Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.errors import InvalidArguments, InvalidType, UnknownAsset
from krakenasync.spot.market import AssetInfo, AssetPair
from krakenasync.spot.names import SUFFIXES, NameBook

ASSETS = """XXBT=XBT XETH=ETH XXDG=XDG XTZ AI16Z 0G USD1 USD_CREDIT DOT KSM FLOW SOL ZUSD=USD ZEUR=EUR ZAUD=AUD
DOT28.S KSM07.S ETH2.S FLOWH.S SOL.S EUR.HOLD DOT.P XBT.M"""
PAIRS = """XXBTZUSD=XBTUSD=XXBT/ZUSD XETHXXBT=ETHXBT=XETH/XXBT XDGUSD==XXDG/ZUSD XTZUSD==XTZ/ZUSD AI16ZEUR==AI16Z/ZEUR
XBTUSD1==XXBT/USD1 USD_CREDITZUSD=USD_CREDITUSD=USD_CREDIT/ZUSD 0GEUR==0G/ZEUR ZEURZUSD=EURUSD=ZEUR/ZUSD
AUDUSD==ZAUD/ZUSD"""


def asset(altname, decimals=10):
    return AssetInfo(aclass="currency", altname=altname, decimals=decimals, display_decimals=5)


def pair(altname, base, quote, **facts):
    given = {"pair_decimals": 1, "lot_decimals": 8, "ordermin": Decimal("0.00005"), "costmin": Decimal("0.5")} | facts
    short = f"{ALTNAMES.get(base, base)}/{ALTNAMES.get(quote, quote)}"
    return AssetPair(altname=altname, wsname=short, base=base, quote=quote, **given)


ALTNAMES = {key: altname or key for key, _, altname in (word.partition("=") for word in ASSETS.split())}


def listed():
    rows = [word.split("=") for word in PAIRS.split()]
    assets = {key: asset(altname, 4 if key[0] == "Z" else 10) for key, altname in ALTNAMES.items()}
    pairs = {key: pair(altname or key, *names.split("/")) for key, altname, names in rows}
    return assets, pairs


BOOK = NameBook(*listed())
STEPS = NameBook(
    {},
    {
        "COARSE": pair("COARSE", "A", "B", pair_decimals=5, tick_size=Decimal("0.0005")),
        "QUARTER": pair("QUARTER", "A", "C", pair_decimals=1, tick_size=Decimal("0.25")),
        "PLAIN": pair("PLAIN", "A", "D", pair_decimals=2, lot_decimals=3),
        "TENS": pair("TENS", "A", "E", pair_decimals=0, tick_size=Decimal(10)),
    },
)
numbers = st.decimals(0, 10**9, places=12)


@pytest.mark.parametrize(
    ("names", "key"),
    [
        ("XXBT XBT BTC btc", "XXBT"),
        ("XXDG XDG DOGE", "XXDG"),
        ("ZUSD USD", "ZUSD"),
        ("XTZ", "XTZ"),
        ("DOT28.S dot28.s", "DOT28.S"),
    ],
)
def test_an_asset_by_any_of_its_names(names, key):
    """Id, altname and what people say, in whatever case, lead to one asset."""
    assert {BOOK.asset(name).id for name in names.split()} == {key}


@pytest.mark.parametrize(
    ("names", "key"),
    [
        ("XXBTZUSD XBTUSD XBT/USD BTC/USD BTCUSD XXBT/ZUSD btc/usd", "XXBTZUSD"),
        ("XDGUSD XDG/USD DOGE/USD DOGEUSD XXDG/ZUSD", "XDGUSD"),
        ("XETHXXBT ETHXBT ETH/XBT ETH/BTC ETHBTC", "XETHXXBT"),
    ],
)
def test_a_pair_by_any_of_its_names(names, key):
    """Kraken's own names, those people use, and those put together from base and quote lead to one pair."""
    assert {BOOK.pair(name).id for name in names.split()} == {key}


@pytest.mark.parametrize(
    ("name", "base", "quote"),
    [
        ("XTZUSD", "XTZ", "ZUSD"),
        ("AI16ZEUR", "AI16Z", "ZEUR"),
        ("XBTUSD1", "XXBT", "USD1"),
        ("USD_CREDITZUSD", "USD_CREDIT", "ZUSD"),
        ("0GEUR", "0G", "ZEUR"),
        ("ZEURZUSD", "ZEUR", "ZUSD"),
        ("AUDUSD", "ZAUD", "ZUSD"),
    ],
)
def test_names_that_defeat_every_rule(name, base, quote):
    """No pair name is taken apart: base and quote are what Kraken says, however the name reads."""
    found = BOOK.pair(name)

    assert (found.base.id, found.quote.id) == (base, quote)


def test_names_for_people():
    """A pair's name is made of what people call its assets."""
    assert BOOK.pair("XXBTZUSD").name == "BTC/USD"
    assert BOOK.pair("AUDUSD").name == "AUD/USD"
    assert BOOK.asset("XXDG").name == "DOGE"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_balance_that_assets_does_not_list(suffix):
    """A key that is missing from Assets has the digits of its base, and says what its suffix means."""
    found = BOOK.asset(f"DOT{suffix}" if suffix != ".P" else "XBT.P")

    assert not found.listed
    assert not found.tradable
    assert found.meaning == SUFFIXES[suffix]
    assert found.decimals == BOOK.asset(found.base).decimals == 10


@pytest.mark.parametrize(
    ("name", "base", "days", "shown"),
    [
        ("DOT28.S", "DOT", 28, "DOT28.S"),
        ("KSM07.S", "KSM", 7, "KSM07.S"),
        ("ATOM21.S", None, None, None),
        ("ETH2.S", "XETH", None, "ETH.S"),
        ("FLOWH.S", "FLOW", None, "FLOW.S"),
        ("SOL03.S", "SOL", 3, "SOL03.S"),
        ("XBT.M", "XXBT", None, "BTC.M"),
        ("EUR.HOLD", "ZEUR", None, "EUR.HOLD"),
        ("ZEUR.HOLD", "ZEUR", None, "EUR.HOLD"),
    ],
)
def test_the_base_of_a_suffixed_name(name, base, days, shown):
    """Suffix and bonding days are read where they are some; ETH2 and FLOWH are neither."""
    if base is None:
        with pytest.raises(UnknownAsset):
            BOOK.asset(name)
        return
    found = BOOK.asset(name)

    assert (found.base, found.bonding_days, found.name) == (base, days, shown)
    assert found.id == name


def test_a_suffix_of_tomorrow_is_passed_through():
    """A suffix that this version does not know is shown, without a meaning, and with the base's digits."""
    found = BOOK.asset("XBT.Q")

    assert (found.base, found.suffix, found.meaning, found.decimals) == ("XXBT", ".Q", "", 10)


def test_what_is_unknown_names_what_is_alike():
    """A misspelt name is an error that offers the nearest ones."""
    with pytest.raises(UnknownAsset, match=r"DOGE") as caught:
        BOOK.asset("DOGGE")
    assert caught.value.effect == "none"
    with pytest.raises(UnknownAsset, match=r"no pair 'BTC/UDS' \(did you mean BTC/USD"):
        BOOK.pair("BTC/UDS")
    with pytest.raises(UnknownAsset, match=r"assets\(\)"):
        BOOK.pair("qqqqqqqqqqqqqqq")


def test_a_name_of_several_is_an_error():
    """Where two assets bear one name, the ids say which; no guess is made."""
    book = NameBook({"ONE": asset("SAME"), "TWO": asset("SAME"), "BTC": asset("BTC"), "XXBT": asset("XBT")}, {})

    with pytest.raises(InvalidArguments, match="ONE and of TWO"):
        book.asset("same")
    assert book.asset("ONE").id == "ONE"
    assert book.asset("BTC").id == "BTC", "an id comes before what people say"


def test_kraken_s_names_come_before_composed_ones():
    """Where base and quote put together read like another pair's id, that other pair is meant."""
    assets = {key: asset(key) for key in ("AI16", "AI16Z")} | {"ZEUR": asset("EUR")}
    pairs = {"AI16ZEUR": pair("AI16ZEUR", "AI16Z", "ZEUR"), "OTHER": pair("AI16EUR", "AI16", "ZEUR")}

    assert NameBook(assets, pairs).pair("AI16ZEUR").base.id == "AI16Z"
    assert NameBook(assets, pairs).pair("AI16EUR").base.id == "AI16"


@pytest.mark.parametrize(("name", "error"), [(7, InvalidType), (None, InvalidType), ("", InvalidArguments)])
def test_what_is_no_name(name, error):
    """Another type, or an empty text, is refused with a word on it."""
    with pytest.raises(error):
        BOOK.asset(name)
    with pytest.raises(error):
        BOOK.pair(name)


def test_an_asset_of_another_class_has_no_digits():
    """A pair whose base stands in another list of assets is found all the same; its digits are not made up."""
    base = STEPS.pair("COARSE").base

    assert (base.id, base.decimals, base.listed) == ("A", None, False)


@pytest.mark.parametrize(
    ("name", "step"), [("COARSE", "0.0005"), ("QUARTER", "0.5"), ("PLAIN", "0.01"), ("TENS", "10")]
)
@given(value=numbers, rounding=st.sampled_from([ROUND_DOWN, ROUND_UP, ROUND_CEILING, "ROUND_HALF_EVEN"]))
def test_a_quantised_price_passes(name, step, value, rounding):
    """The result is a multiple of both steps, nearer than a step, in the direction asked for, and stays as it is."""
    market = STEPS.pair(name)

    price = market.quantize_price(value, rounding)

    assert market.price_step == Decimal(step)
    assert price % market.tick_size == 0
    assert price == round(price, market.pair_decimals)
    assert abs(price - value) < market.price_step
    assert price <= value or rounding != ROUND_DOWN
    assert price >= value or rounding not in {ROUND_UP, ROUND_CEILING}
    assert market.quantize_price(price, rounding) == price
    assert [str(each) for each in market.check(10**6, price) if "Cost" not in each.code] == []


@given(value=numbers)
def test_a_volume_is_rounded_down(value):
    """Never more than there is, and never a whole digit less."""
    volume = STEPS.pair("PLAIN").quantize_volume(value)

    assert 0 <= value - volume < Decimal("0.001")
    assert -volume.as_tuple().exponent == 3


def test_texts_and_whole_numbers_are_exact_too():
    """Text in, Decimal out, with the pair's digits."""
    market = BOOK.pair("BTC/USD")

    assert str(market.quantize_price("30000.26")) == "30000.3"
    assert str(market.quantize_price(30000)) == "30000.0"
    assert str(market.quantize_volume("0.123456789")) == "0.12345678"


@pytest.mark.parametrize("value", [0.1, True, None])
def test_a_float_is_refused(value):
    """Whatever cannot be exact is refused, for price and volume."""
    market = BOOK.pair("BTC/USD")
    with pytest.raises(InvalidType, match="price"):
        market.quantize_price(value)
    with pytest.raises(InvalidType, match="volume"):
        market.quantize_volume(value)
    with pytest.raises(InvalidType, match="volume"):
        market.check(value)


@pytest.mark.parametrize("value", ["-1", "x", "NaN", "1e41"])
def test_no_amount_is_refused(value):
    """Negative, no number, or beyond any market: refused before it is rounded."""
    with pytest.raises(InvalidArguments):
        BOOK.pair("BTC/USD").quantize_price(value)


@pytest.mark.parametrize(
    ("volume", "price", "codes"),
    [
        ("0.001", "30000.1", []),
        ("0.001", None, []),
        ("0.00004", "30000", ["EOrder:Order minimum not met"]),
        ("0.00005", "9999", ["EOrder:Cost minimum not met"]),
        ("0.001", "30000.15", ["EOrder:Invalid price"]),
        ("0.000000001", "0.01", None),
    ],
)
def test_what_kraken_would_refuse(volume, price, codes):
    """Each fault of an order is named, by the error that it would get, with its figures."""
    found = BOOK.pair("BTC/USD").check(volume, price)

    if codes is None:
        assert len(found) == 4
        assert str(found[1]) == "EOrder:Order minimum not met: 1E-9 < 0.00005 BTC"
    else:
        assert [each.code for each in found] == codes


def test_a_tick_coarser_than_the_digits():
    """A price of the right digits between two ticks fails the tick check."""
    (found,) = STEPS.pair("COARSE").check(10**6, "1.0003")

    assert found.code == "EOrder:Tick size check failed"


def test_an_answer_keyed_as_asked():
    """The answer comes under the names asked for, in their order, whatever names Kraken used."""
    result = {"XXBTZUSD": 1, "ETH/BTC": 2, "NEWER-THAN-THE-BOOK": 3}

    answer = BOOK.as_asked(["ETHXBT", "BTC/USD", "XBTUSD"], result)

    assert answer == {"ETHXBT": 2, "BTC/USD": 1, "XBTUSD": 1}
    assert list(answer) == ["ETHXBT", "BTC/USD", "XBTUSD"]


def test_an_answer_without_what_was_asked():
    """A pair that the answer leaves out is an error, never a silent gap."""
    with pytest.raises(UnknownAsset, match="nothing about DOGE/USD"):
        BOOK.as_asked(["DOGE/USD"], {"XXBTZUSD": 1})


def test_a_book_shows_what_it_holds():
    """Assets and pairs by id, and how many."""
    assert BOOK.assets["XXBT"].name == "BTC"
    assert BOOK.pairs["XXBTZUSD"].ordermin == Decimal("0.00005")
    assert repr(BOOK) == f"<NameBook of {len(ALTNAMES)} assets and 10 pairs>"


@pytest.mark.parametrize("left_out", ["base", "quote"])
def test_a_pair_without_base_or_quote_has_no_names(left_out):
    """Such a row says too little; the others are found."""
    whole = pair("XBTUSD", "XXBT", "ZUSD")
    book = NameBook({}, {"XXBTZUSD": whole, "ODD": msgspec.structs.replace(whole, **{left_out: msgspec.UNSET})})
    assert list(book.pairs) == ["XXBTZUSD"]
    assert book.pair("XBTUSD").id == "XXBTZUSD"
