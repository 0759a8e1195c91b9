"""Which mistake a signature looks like. The mistakes are made here anew, as scripts on the web make them."""

import base64
import hashlib
import hmac
import urllib.parse

import httpx
import pytest

from krakenasync import InvalidArguments
from krakenasync.cli import main
from krakenasync.cli.lookalike import RIGHT, diagnose

PATH = "/0/private/Balance"
NONCE = "1780000000000"
DATA = {"nonce": NONCE, "pair": "XBT/USD", "price": "+5%"}
BODY = urllib.parse.urlencode(DATA)


def signature(secret, body=BODY, *, nonce=NONCE, path=PATH, decode=True, hashed=None, digest=hashlib.sha512):
    key = base64.b64decode(secret) if decode else secret.encode()
    hashed = hashed or hashlib.sha256((nonce + body).encode()).digest()
    return hmac.new(key, path.encode() + hashed, digest).digest()


def b64(raw):
    return base64.b64encode(raw).decode()


MISTAKES = {
    "not base64-decoded": lambda secret: b64(signature(secret, decode=False)),
    "hex instead of base64": lambda secret: signature(secret).hex(),
    "nonce is missing": lambda secret: b64(signature(secret, nonce="")),
    "body was encoded twice": lambda secret: b64(signature(secret, urllib.parse.quote_plus(BODY))),
    "values were encoded twice": lambda secret: b64(
        signature(secret, urllib.parse.urlencode({k: urllib.parse.quote(v, safe="") for k, v in DATA.items()}))
    ),
    "before it was encoded": lambda secret: b64(signature(secret, f"nonce={NONCE}&pair=XBT/USD&price=+5%")),
    "SHA256 was used in hex": lambda secret: b64(
        signature(secret, hashed=hashlib.sha256((NONCE + BODY).encode()).hexdigest().encode())
    ),
    "HMAC-SHA256": lambda secret: b64(signature(secret, digest=hashlib.sha256)),
    "path is missing": lambda secret: b64(signature(secret, path="")),
    "without /0": lambda secret: b64(signature(secret, path="/private/Balance")),
    "whole address": lambda secret: b64(signature(secret, path=f"https://api.kraken.com{PATH}")),
    "body is missing": lambda secret: b64(signature(secret, "")),
    "ends with a line break": lambda secret: b64(signature(f"{secret}\n", decode=False)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_well_known_mistake_is_named(mistake, environment, capsys):
    """A script signs wrongly, the sandbox refuses it, and doctor says what was wrong."""
    made = MISTAKES[mistake](environment.api_secret)
    headers = {
        "API-Key": environment.api_key,
        "API-Sign": made,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer = httpx.post(environment.base_url + PATH, content=BODY, headers=headers)
    assert answer.json()["error"] == ["EAPI:Invalid signature"]
    assert main(["doctor", "--api-sign", made, "--path", PATH, "--body", BODY]) == 1
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert mistake in shown
    assert environment.api_secret not in shown


def test_a_right_signature_is_called_right(environment, capsys):
    """A right one is not suspected."""
    assert diagnose(environment.api_secret, PATH, BODY, b64(signature(environment.api_secret))) == RIGHT
    assert main(["doctor", "--api-sign", b64(signature(environment.api_secret)), "--body", BODY]) == 0
    assert "right" in capsys.readouterr().out


def test_an_unknown_mistake_is_not_guessed(environment):
    """What looks like nothing that is known stays open."""
    assert diagnose(environment.api_secret, PATH, BODY, b64(b"x" * 64)) is None


def test_a_body_without_a_nonce_is_asked_for(environment):
    """Without a nonce nothing can be compared."""
    with pytest.raises(InvalidArguments, match="no nonce"):
        diagnose(environment.api_secret, PATH, "pair=XBTUSD", "x")
