"""A sandbox on a clock that stands still until it is told to move, and a caller that signs by hand."""

import itertools
import json
from decimal import Decimal
from urllib.parse import urlencode

import httpx
import pytest
import pytest_asyncio

from krakenasync.protocol.signing import sign
from krakenasync.sandbox import Sandbox, SandboxConfig
from krakenasync.sandbox.funding import METHODS

START = 1_780_000_000
"""The unix second at which the tests' clock starts."""


class StillClock:
    """A clock that only `advance` moves."""

    def __init__(self):
        self.elapsed_ns = 0

    def monotonic(self):
        return 1000 + self.elapsed_ns / 1e9

    def wall_ns(self):
        return START * 10**9 + self.elapsed_ns

    def advance(self, seconds):
        self.elapsed_ns += round(seconds * 10**9)


class Caller:
    """Calls a sandbox in process, without any client of ours between."""

    def __init__(self, config=None):
        self.clock = StillClock()
        self.sandbox = Sandbox(config or SandboxConfig(), self.clock)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.sandbox.app), base_url="http://kraken.test")
        self._nonces = itertools.count(1)

    def next_nonce(self):
        return str(next(self._nonces))

    async def public(self, name, **params):
        return (await self.http.get(f"/0/public/{name}", params=params)).json()

    async def send(self, name, who="alice", /, *, nonce=None, as_json=False, headers=None, **params):
        """Send a signed call and return httpx's response."""
        key = self.sandbox.keys[who]
        path = f"/0/private/{name}"
        nonce = nonce if nonce is not None else self.next_nonce()
        given = {"nonce": nonce, **params}
        body = (json.dumps(given) if as_json else urlencode(given)).encode()
        kind = "application/json" if as_json else "application/x-www-form-urlencoded"
        signed = {
            "API-Key": key.api_key,
            "API-Sign": sign(key.secret, path, str(nonce), body),
            "Content-Type": kind,
            **(headers or {}),
        }
        return await self.http.post(path, content=body, headers=signed)

    async def private(self, name, who="alice", /, **options):
        return (await self.send(name, who, **options)).json()

    async def result(self, name, who="alice", /, **options):
        answer = await self.private(name, who, **options)
        assert answer["error"] == []
        return answer["result"]

    async def code(self, name, who="alice", /, **options):
        answer = await self.private(name, who, **options)
        assert "result" not in answer
        (code,) = answer["error"]
        return code

    async def buy(self, price="20000", volume="0.01", key="alice", **more):
        """Place a limit order far below the market unless told otherwise; returns its id."""
        order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": price, "volume": volume, **more}
        (txid,) = (await self.result("AddOrder", key, **order))["txid"]
        return txid

    async def best(self):
        """Return the best bid and ask of XBT/USD."""
        (book,) = (await self.public("Depth", pair="XBTUSD", count=1))["result"].values()
        return Decimal(book["bids"][0][0]), Decimal(book["asks"][0][0])

    async def inside(self):
        """Return a price between bid and ask, moving the clock until there is room for one."""
        for _ in range(50):
            bid, ask = await self.best()
            if ask - bid > Decimal("0.3"):
                return bid + Decimal("0.1")
            self.clock.advance(15)
        raise AssertionError("no room between bid and ask")

    async def row(self, txid, key="alice"):
        """Look an order up."""
        return (await self.result("QueryOrders", key, txid=txid, trades="true"))[txid]

    async def at_market(self, side, volume, key="alice", **more):
        """Trade at the market; returns the order's row."""
        order = {"pair": "XBTUSD", "type": side, "ordertype": "market", "volume": volume, **more}
        (txid,) = (await self.result("AddOrder", key, **order))["txid"]
        return await self.row(txid, key)

    async def hold(self, asset="ZUSD", key="alice"):
        """Return what orders have reserved of an asset."""
        return Decimal((await self.result("BalanceEx", key))[asset]["hold_trade"])


@pytest_asyncio.fixture
async def kraken():
    """A caller of a sandbox that counts nothing."""
    caller = Caller(SandboxConfig(limits=False))
    yield caller
    await caller.http.aclose()


@pytest_asyncio.fixture
async def open_caller():
    """Makes callers of sandboxes with a given config."""
    callers = []

    def make(**config):
        callers.append(Caller(SandboxConfig(**config)))
        return callers[-1]

    yield make
    for caller in callers:
        await caller.http.aclose()


def total(sandbox):
    """Add up every asset over all accounts, the house and the fees included."""
    sums = {}
    exchange = sandbox.exchange
    for account in (*sandbox.accounts.values(), exchange.house, exchange.fees):
        for asset, amount in account.balances.items():
            sums[asset] = sums.get(asset, 0) + amount
    return {asset: amount for asset, amount in sums.items() if amount}


@pytest.fixture
def total_assets():
    return total


class BetaCaller:
    """Calls Funding Beta by hand: `send` gives httpx's response, a call its JSON, `refused` its problem."""

    def __init__(self, kraken):
        self._kraken = kraken

    async def send(self, verb, path, body=None, *, nonce=None, signed=None, **query):
        key = self._kraken.sandbox.keys["alice"]
        nonce = nonce or self._kraken.next_nonce()
        target = f"/funding/{path}" + (f"?{urlencode(query)}" if query else "")
        content = json.dumps(body).encode() if body is not None else b""
        headers = {
            "API-Key": key.api_key,
            "API-Nonce": nonce,
            "API-Sign": sign(key.secret, signed or target, nonce, content),
            "Content-Type": "application/json",
        }
        return await self._kraken.http.request(verb, target, content=content, headers=headers)

    async def __call__(self, *call, **options):
        response = await self.send(*call, **options)
        assert response.status_code == 200, response.text
        return response.json()

    async def refused(self, *call, **options):
        """Give status, title and detail of a problem."""
        response = await self.send(*call, **options)
        problem = response.json()
        assert response.headers["content-type"] == "application/problem+json"
        assert problem["status"] == response.status_code
        return problem["status"], problem["title"], problem.get("detail", "")


@pytest.fixture
def beta(kraken):
    """Call Funding Beta as alice."""
    return BetaCaller(kraken)


class Withdrawing:
    """Withdraws bitcoin by Funding Beta to alice's saved address, or as told."""

    def __init__(self, beta):
        self._beta = beta

    async def _body(self, amount):
        method = METHODS[0].id
        (saved,) = (await self._beta("GET", "v1/addresses", **{"scope[method_id]": method}))["addresses"]
        asset = {"class": "currency", "name": "BTC"}
        return {
            "scope": {"method_id": method},
            "address_id": saved["address_id"],
            "amount": {"asset_amount": {"asset": asset, "amount": amount}},
        }

    async def __call__(self, text="0.5", **more):
        return await self._beta("POST", "v1/withdrawals", await self._body(text) | more)

    async def refused(self, text="0.5", **more):
        return await self._beta.refused("POST", "v1/withdrawals", await self._body(text) | more)


@pytest.fixture
def withdraw(beta):
    """Withdraw by Funding Beta as alice."""
    return Withdrawing(beta)
