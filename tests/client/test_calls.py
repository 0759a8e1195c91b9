"""Every endpoint as a method: what it tells about itself, and of arguments that do not fit."""

import inspect
import pydoc
import typing
import warnings

import pytest

from krakenasync import InvalidArguments, InvalidType, KrakenClient
from krakenasync.client.placing import PlacedOrder
from krakenasync.sandbox import SandboxConfig
from krakenasync.spot.catalog import ENDPOINTS
from krakenasync.testing import in_process, run


@pytest.mark.parametrize("name", [name for name in ENDPOINTS if name != "ticker"])
def test_a_method_tells_what_it_takes(name):
    """Whoever asks in a notebook or with `help` sees its parameters, and none of what only the wire needs to know."""
    method, request = getattr(KrakenClient(), name), ENDPOINTS[name]
    assert list(inspect.signature(method).parameters) == list(inspect.signature(request).parameters)
    assert "Annotated" not in str(inspect.signature(method))
    assert (method.__name__, method.__doc__) == (name, request.__doc__)
    assert inspect.iscoroutinefunction(method)
    assert inspect.getsource(method).startswith(f"class {request.__name__}(")
    assert typing.get_type_hints(method) == {}  # asked by whoever wires things up by type; the signature has them


def test_help_shows_a_method_as_one_would_write_it():
    """With its result."""
    shown = pydoc.plain(pydoc.render_doc(KrakenClient().depth))
    assert "async depth(pair: str, *, assetVersion" in " ".join(shown.split()).replace(
        "depth( ", "depth("
    )  # wrapped, from 3.13 on
    assert "-> krakenasync.spot.books.Book" in shown
    assert "The order book of a pair" in shown


def test_what_is_more_than_a_call_tells_as_much():
    """Exactly-once orders are methods of the same kind."""
    signature = inspect.signature(KrakenClient().place_order)
    assert signature.parameters["deadline"].default == 5.0
    assert signature.return_annotation is PlacedOrder


def test_a_call_that_was_not_awaited_is_named():
    """By its method, not by what all methods have in common."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        KrakenClient().balance()
    assert "coroutine 'Calls.balance' was never awaited" in str(caught[-1].message)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda k: k.add_order(typ="buy"), r"add_order\(\): unexpected keyword argument 'typ'\. Did you mean type"),
        (
            lambda k: k.place_order(paar="XBTUSD"),
            r"place_order\(\): unexpected keyword argument 'paar'\. Did you mean pair",
        ),
        (lambda k: k.balance(zzz=1), r"balance\(\): unexpected keyword argument 'zzz'$"),
        (lambda k: k.assets("XBT", "ETH"), r"assets\(\): extra positional arguments provided: give the others by name"),
        (lambda k: k.depth(), r"depth\(\): missing required argument 'pair'"),
    ],
)
async def test_arguments_that_do_not_fit_are_told_with_the_call(call, said):
    """As Python does it, and with what may have been meant."""
    with pytest.raises(TypeError, match=said):
        await call(KrakenClient())


def test_names_that_are_none_in_python_are_taken_too():
    """Where they can be written: ``**{"from": ...}``."""

    async def main(clock):
        exchange = in_process(SandboxConfig(), clock=clock)
        async with exchange.client() as kraken:
            move = {"asset": "XBT", "to": "Futures Wallet", "amount": "1"}
            assert (await kraken.wallet_transfer(**{"from": "Spot Wallet"}, **move)).refid
            assert (await kraken.trade_volume("XBTUSD", **{"fee-info": True})).fees
            with pytest.raises(TypeError, match=r"wallet_transfer\(\): missing required argument 'asset'"):
                await kraken.wallet_transfer(**{"from": "Spot Wallet"})
            with pytest.raises(TypeError, match="unexpected keyword argument 'from'"):
                await kraken.wallet_transfer(**{"from": "Spot Wallet", "from_": "Spot Wallet"}, **move)

    run(main)


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (("XBTUSD", "ETHUSD"), {}),
        ((["XBTUSD", "ETHUSD"],), {}),
        (("XBTUSD,ETHUSD",), {}),
        ((), {"pair": ["XBTUSD", "ETHUSD"]}),
        ((), {"pair": "XBTUSD,ETHUSD"}),
        (("XBTUSD",), {"pair": "ETHUSD"}),
    ],
)
def test_the_ticker_takes_its_pairs_in_every_form(args, named):
    """One by one, as the other calls do, or as Kraken does."""

    async def main(clock):
        exchange = in_process(SandboxConfig(), clock=clock)
        async with exchange.client() as kraken:
            assert (await kraken.ticker(*args, **named)).keys() == {"XXBTZUSD", "XETHZUSD"}
            assert len(await kraken.ticker()) > 2
            with pytest.raises(InvalidArguments, match="pair is empty"):
                await kraken.ticker([])
            with pytest.raises(InvalidType, match="pair must be"):
                await kraken.ticker(5)

    run(main)


@pytest.mark.asyncio
async def test_a_wrong_value_is_an_error_of_ours():
    """It is no slip of the call's."""
    with pytest.raises(InvalidType, match="volume"):
        await KrakenClient("key", "c2VjcmV0").add_order(pair="XBTUSD", type="buy", ordertype="market", volume=0.1)
