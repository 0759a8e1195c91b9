"""Signatures, against Kraken's published example and against figures computed apart from this package."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.errors import ConfigurationError
from krakenasync.protocol import signing
from krakenasync.protocol.bodies import form
from krakenasync.protocol.signing import Signer, decode_secret, sign, verify

# Kraken's own example: https://docs.kraken.com/api/docs/guides/spot-rest-auth
SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
NONCE = "1616492376594"
ADD_ORDER = "/0/private/AddOrder"
ORDER = {"nonce": NONCE, "ordertype": "limit", "pair": "XBTUSD", "price": 37500, "type": "buy", "volume": 1.25}
PUBLISHED = "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="


def test_published_example():
    """The form of Kraken's documentation gets the signature printed there."""
    body = form(ORDER).encode()
    assert body == b"nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    assert sign(decode_secret(SECRET), ADD_ORDER, NONCE, body) == PUBLISHED


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        pytest.param(
            ADD_ORDER,
            json.dumps(ORDER, separators=(",", ":")),
            "BVT3EumzzXSJHlvrinSwICz5uKKlSZPXL9cJIuKqn7ZMhHSbbtXhGdvwoDBmRz6ALXI+GVxFD0ZlGuOmfi2bxA==",
            id="compact JSON",
        ),
        pytest.param(
            ADD_ORDER,
            json.dumps(ORDER),
            "xojekerxRL59CSvi3027oZ1+nMQF0TgqD5QE569qR8tgSJ4tAhoVYVGhSEciXkufsn6foHHVi0N3Utiarvg74w==",
            id="JSON with blanks",
        ),
        pytest.param(
            "/0/private/Balance",
            "nonce=1616492376594",
            "1nH4vwR+8FHiYh1QT649xXkGd3JR3x0DWkgv3u9Ed/Qqv6KPtgQpEU4m+Emb/VgpEji3j1XNwI+HCbfXxmrTOg==",
            id="nonce alone",
        ),
        pytest.param(
            ADD_ORDER,
            form({"nonce": NONCE, "expiretm": "+60"}),
            "TfL0P+jr9rGVeyLDVCqTzizBviT14m6gSWQgwuxXjoWffOR/A40LbnRER4gmX+46mZ42t4kD8VkjyPEfklpkeA==",
            id="plus sign",
        ),
    ],
)
def test_derived_examples(path, body, expected):
    """Signatures cover the body byte for byte, form or JSON, blanks included."""
    assert sign(decode_secret(SECRET), path, NONCE, body.encode()) == expected


def test_verify_accepts_the_signature_and_nothing_else():
    """A change of key, path, nonce, body or signature is noticed, and text beyond ASCII is only a wrong signature."""
    key, body = decode_secret(SECRET), form(ORDER).encode()
    assert verify(key, ADD_ORDER, NONCE, body, PUBLISHED)
    assert not verify(key[::-1], ADD_ORDER, NONCE, body, PUBLISHED)
    assert not verify(key, "/0/private/Balance", NONCE, body, PUBLISHED)
    assert not verify(key, ADD_ORDER, "1616492376595", body, PUBLISHED)
    assert not verify(key, ADD_ORDER, NONCE, body + b"&", PUBLISHED)
    assert not verify(key, ADD_ORDER, NONCE, body, PUBLISHED[:-2])
    assert not verify(key, ADD_ORDER, NONCE, body, "é")


@given(st.binary(min_size=1), st.text("abc/", min_size=1), st.integers(0, 2**63 - 1).map(str), st.binary())
def test_what_is_signed_verifies(key, path, nonce, body):
    """Client and sandbox agree on every key, path, nonce and body."""
    assert verify(key, path, nonce, body, sign(key, path, nonce, body))


def test_secret_may_carry_blanks_from_copying():
    """Line breaks and blanks around or inside a copied secret do no harm."""
    assert decode_secret(f" {SECRET[:40]}\n{SECRET[40:]} \n") == decode_secret(SECRET)


@pytest.mark.parametrize("secret", ["", "   ", "not base64!", SECRET[:-1], f"!{SECRET}", "clé"])
def test_malformed_secret_is_refused_without_being_shown(secret):
    """A secret that is not base64 is refused, with advice and without repeating it."""
    with pytest.raises(ConfigurationError, match="copy the private key whole") as caught:
        decode_secret(secret)
    assert not secret.strip() or secret not in str(caught.value)


@pytest.mark.parametrize("length", [1, 64, 127, 128, 129, 300])
def test_a_key_of_any_length_signs_as_hmac_says(length):
    """The paddings that are hashed once give what the standard library's HMAC gives, also for keys above a block."""
    secret, digest = bytes(range(256)) * 2, hashlib.sha256(b"1nonce=1").digest()
    expected = hmac.digest(secret[:length], b"/0/private/Balance" + digest, "sha512")
    signer = Signer(secret[:length])
    assert [signer.sign("/0/private/Balance", "1", b"nonce=1") for _ in range(2)] == [
        base64.b64encode(expected).decode()
    ] * 2


@pytest.mark.parametrize("missing", ["the constructor", "the module"])
def test_a_python_without_hashes_of_its_own_signs_by_openssl(monkeypatch, missing):
    """What CPython keeps to itself may go, or be left out of a build: then hashlib's public hashes serve."""
    if missing == "the constructor":
        monkeypatch.delattr(hashlib, "__get_builtin_constructor")
    else:

        def unsupported(name):
            raise ValueError(f"unsupported hash type {name}")

        monkeypatch.setattr(hashlib, "__get_builtin_constructor", unsupported)
    assert signing._hash("sha512") is hashlib.sha512
