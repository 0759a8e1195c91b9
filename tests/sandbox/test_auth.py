"""Keys, signatures, nonces, lockout."""

import pytest

from krakenasync.sandbox import ExtraKey

pytestmark = pytest.mark.asyncio

INVALID_NONCE = "EAPI:Invalid nonce"


async def test_a_signed_call_is_answered(kraken):
    """A well signed form is answered with HTTP 200 and the envelope."""
    response = await kraken.send("Balance")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/json")
    assert response.json()["result"]["ZUSD"] == "250000.0000"


@pytest.mark.parametrize("nonce", ["7", 7])
async def test_json_bodies_carry_the_nonce_as_text_or_number(kraken, nonce):
    """Both spellings of the nonce in a JSON body are signed alike."""
    assert await kraken.result("Balance", nonce=nonce, as_json=True)


async def test_an_unknown_key_is_refused(kraken):
    """A key nobody has is an invalid key."""
    assert await kraken.code("Balance", headers={"API-Key": "nobody"}) == "EAPI:Invalid key"


async def test_a_missing_key_is_refused(kraken):
    """A private call without headers is an invalid key."""
    answer = (await kraken.http.post("/0/private/Balance", data={"nonce": "1"})).json()
    assert answer == {"error": ["EAPI:Invalid key"]}


@pytest.mark.parametrize("signature", ["", "AAAA", "not base64 at all"])
async def test_a_wrong_signature_is_refused_and_uses_no_nonce_up(kraken, signature):
    """A bad signature is refused, and the same nonce works afterwards."""
    assert await kraken.code("Balance", nonce="5", headers={"API-Sign": signature}) == "EAPI:Invalid signature"
    assert await kraken.result("Balance", nonce="5")


async def test_the_signature_covers_the_raw_body(kraken):
    """The same parameters in other bytes do not fit the signature."""
    signed = await kraken.send("Balance", nonce="5")
    headers = dict(signed.request.headers)
    response = await kraken.http.post("/0/private/Balance", content=b"nonce=%36", headers=headers)
    assert response.json()["error"] == ["EAPI:Invalid signature"]


@pytest.mark.parametrize("nonce", ["", "abc", "-5", "1.5", str(2**64), "\u0662"])
async def test_what_is_no_unsigned_64_bit_number_is_no_nonce(kraken, nonce):
    """Anything but digits below 2**64 is an invalid nonce."""
    assert await kraken.code("Balance", nonce=nonce) == INVALID_NONCE


async def test_without_a_window_nonces_must_rise(kraken):
    """An equal or lower nonce is refused; the next higher one is taken."""
    assert await kraken.result("Balance", nonce="100")
    assert await kraken.code("Balance", nonce="100") == INVALID_NONCE
    assert await kraken.code("Balance", nonce="99") == INVALID_NONCE
    assert await kraken.result("Balance", nonce="101")


async def test_a_window_takes_late_nonces_once(open_caller):
    """Inside the window a lower nonce passes, but never twice; at its edge it is refused."""
    kraken = open_caller(limits=False, nonce_window=10)
    assert await kraken.result("Balance", nonce="100")
    assert await kraken.result("Balance", nonce="91")
    assert await kraken.code("Balance", nonce="91") == INVALID_NONCE
    assert await kraken.code("Balance", nonce="100") == INVALID_NONCE
    assert await kraken.code("Balance", nonce="90") == INVALID_NONCE


async def test_nonces_of_two_keys_do_not_meet(kraken):
    """Each key has nonces of its own."""
    assert await kraken.result("Balance", "alice", nonce="100")
    assert await kraken.result("Balance", "bob", nonce="50")


async def test_an_expired_key_is_invalid(kraken):
    """A key stops at the second it is valid until."""
    kraken.sandbox.keys["alice"].valid_until = kraken.clock.wall_ns() // 10**9 + 10
    assert await kraken.result("Balance")
    kraken.clock.advance(10)
    assert await kraken.code("Balance") == "EAPI:Invalid key"


async def test_a_missing_permission_is_refused(kraken):
    """A key without the endpoint's permission is told so; with it, it passes."""
    kraken.sandbox.add_key("alice", label="trader", permissions=("modify-trades",))
    assert await kraken.code("Balance", "trader") == "EGeneral:Permission denied"
    assert await kraken.result("GetApiKeyInfo", "trader")
    assert await kraken.result("CancelAll", "trader") == {"count": 0}


async def test_invalid_keys_in_a_row_lock_the_address_out(open_caller):
    """After the set number of invalid keys even a good key is locked out, and each try prolongs it."""
    kraken = open_caller(limits=False, lockout_after=3, lockout_seconds=60)
    bad = {"API-Key": "nobody"}
    for _ in range(3):
        assert await kraken.code("Balance", headers=bad) == "EAPI:Invalid key"
    assert await kraken.code("Balance") == "EGeneral:Temporary lockout"
    kraken.clock.advance(59)
    assert await kraken.code("Balance") == "EGeneral:Temporary lockout"
    kraken.clock.advance(59)
    assert await kraken.code("Balance") == "EGeneral:Temporary lockout"
    kraken.clock.advance(60)
    assert await kraken.result("Balance")


async def test_a_good_key_between_bad_ones_starts_the_count_anew(open_caller):
    """Only invalid keys in a row lead to a lockout."""
    kraken = open_caller(limits=False, lockout_after=2)
    for _ in range(3):
        assert await kraken.code("Balance", headers={"API-Key": "nobody"}) == "EAPI:Invalid key"
        assert await kraken.result("Balance")


async def test_a_key_of_the_callers_own_opens_a_funded_account(open_caller):
    """An extra key works with its own secret and finds money."""
    extra = ExtraKey(api_key="mine", api_secret="c2VjcmV0IG9mIG1pbmU=")
    kraken = open_caller(keys=(extra,))
    assert (await kraken.result("Balance", "extra"))["XXBT"] == "3.5000000000"
    assert "c2VjcmV0" not in repr(extra)


async def test_the_key_tells_about_itself(kraken):
    """GetApiKeyInfo needs no permission and names window, nonce and rights."""
    info = await kraken.result("GetApiKeyInfo", nonce="1234")
    assert (info["apiKeyName"], info["nonce"], info["nonceWindow"]) == ("alice", "1234", 0)
    assert "withdraw-funds" in info["permissions"]
