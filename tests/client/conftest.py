"""A second, naive Kraken: strict about nonces, exact and slow about counters, written without our own arithmetic."""

import base64
import json
import random
from fractions import Fraction
from urllib.parse import parse_qs, parse_qsl

import anyio
import httpx
import pytest

from krakenasync import KrakenClient
from krakenasync.state.memory import MemoryState

KEY = "public-half-of-the-key"
SECRET = base64.b64encode(b"private half of the key, 32 bytes").decode()
URL = "http://kraken.test"
TIERS = {"starter": (15, Fraction(33, 100)), "intermediate": (20, Fraction(1, 2)), "pro": (20, Fraction(1))}
DEAR = {"ClosedOrders", "Ledgers", "QueryLedgers", "TradesHistory", "QueryTrades"}
FREE = {"AddOrder", "CancelOrder", "AmendOrder", "EditOrder", "AddOrderBatch", "CancelOrderBatch"}
RESULTS = {
    "Balance": {"ZUSD": "100.0000", "XXBT": "0.5000000000"},
    "Time": {"unixtime": 1780000000, "rfc1123": "Thu, 28 May 26 20:26:40 +0000"},
    "SystemStatus": {"status": "online", "timestamp": "2026-05-28T20:26:40Z"},
    "ClosedOrders": {"closed": {}, "count": 0},
    "OpenOrders": {"open": {}},
    "AddOrder": {"descr": {"order": "buy 0.01 XBTUSD @ limit 30000"}, "txid": ["OAAAAA-BBBBB-CCCCCC"]},
    "CancelOrder": {"count": 1},
    "Withdraw": {"refid": "AGBSO6T-UFMTTQ-I7KGS6"},
}


def answer(result=None, *errors):
    """Write an answer in Kraken's envelope."""
    return httpx.Response(200, json={"error": list(errors), **({"result": result} if result is not None else {})})


class NaiveKraken:
    """Answers like Kraken, as strictly as the documents can be read. An httpx transport's handler.

    Every `script` entry is played once for the endpoint it names: an error string, a response, or an exception.
    """

    def __init__(self, clock, *, tier="starter", seed=0, jitter=0.0, step=0, phase=0.0, level=0, **rules):
        self.clock = clock
        self.cap, self.pace = TIERS[tier]
        self.chance = random.Random(seed)
        self.jitter = jitter
        self.step = Fraction(step)
        self.phase = Fraction(phase)
        self.refused_counts = rules.pop("refused_counts", False)
        self.window = rules.pop("window", 0)
        self.counted = rules.pop("counted", True)
        assert not rules
        self.level = Fraction(level)
        self.at = Fraction(clock.monotonic())
        self.peak = Fraction(0)
        self.nonce = 0
        self.script = []
        self.seen = []
        self.calls = []
        self.accepted_at = []
        self.in_flight = self.most_in_flight = 0
        self.refused = []

    async def __call__(self, request):
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await anyio.sleep(self.chance.uniform(0, self.jitter))
            response = self.reply(request)
            await anyio.sleep(self.chance.uniform(0, self.jitter))
        finally:
            self.in_flight -= 1
        if isinstance(response, BaseException):
            raise response
        return response

    def reply(self, request):
        self.seen.append(request)
        name = request.url.path.partition("/0/")[2].partition("/")[2]
        self.calls.append(name)
        if "/0/private/" in request.url.path:
            said = dict(parse_qsl(request.content.decode()))
            nonce = int(said.get("nonce") or request.headers["API-Nonce"])
            if nonce <= self.nonce - self.window or (nonce <= self.nonce and not self.window):
                return self.refuse("EAPI:Invalid nonce")
            self.nonce = max(self.nonce, nonce)
            if self.counted and not self.charge(0 if name in FREE else 4 if name in DEAR else 1):
                return self.refuse("EAPI:Rate limit exceeded")
        for number, (what, played) in enumerate(self.script):
            if what == name:
                del self.script[number]
                return answer(None, played) if isinstance(played, str) else played
        self.accepted_at.append(self.clock.monotonic())
        return answer(RESULTS.get(name, {}))

    def refuse(self, code):
        self.refused.append(code)
        return answer(None, code)

    def charge(self, cost):
        self.let_decay()
        if self.level + cost > self.cap:
            if self.refused_counts:
                self.level = max(self.level, Fraction(self.cap))
            return False
        self.level += cost
        self.peak = max(self.peak, self.level)
        return True

    def let_decay(self):
        now = Fraction(self.clock.monotonic())
        if not self.step:
            self.level = max(Fraction(0), self.level - (now - self.at) * self.pace)
        else:
            ticks = (now + self.phase) // self.step - (self.at + self.phase) // self.step
            for _ in range(int(ticks)):
                self.level = max(Fraction(0), self.level - self.step * self.pace)
        self.at = now

    def client(self, **settings):
        """Make a client of its own, or with the given settings."""
        chosen = {
            "api_key": KEY,
            "api_secret": SECRET,
            "base_url": URL,
            "clock": self.clock,
            "http_client": httpx.AsyncClient(transport=httpx.MockTransport(self)),
        }
        chosen |= settings
        chosen.setdefault("state", MemoryState(self.clock))
        return KrakenClient(**chosen)

    def sent(self, number=-1):
        """Return the parameters of a request as Kraken reads them."""
        return {name: values[0] for name, values in parse_qs(self.seen[number].content.decode()).items()}


@pytest.fixture(scope="session")
def naive_kraken():
    """The class of the naive exchange."""
    return NaiveKraken


@pytest.fixture
def enveloped():
    """A function that writes an answer: ``enveloped(result, *errors)``."""
    return answer


@pytest.fixture
def secrets_of_the_key():
    """The texts that must never be seen: both halves, and what the secret decodes to."""
    return KEY, SECRET, base64.b64decode(SECRET).decode(), json.dumps(SECRET)
