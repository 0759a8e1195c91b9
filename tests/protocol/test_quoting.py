"""What errors quote of a value they refuse."""

from decimal import Decimal
from enum import Enum

import pytest

from krakenasync.protocol.quoting import quoted


class Side(Enum):
    BUY = "buy"


class Unshowable:
    def __repr__(self):
        raise RuntimeError("no")


def nested(depth):
    """A list in a list in a list."""
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a\nb", r"'a\nb'"),
        ("\ud800", r"'\ud800'"),
        (5, "5"),
        (True, "True"),
        (Decimal("1E+999999999"), "1E+999999999"),
        (1.5, "1.5"),
        (b"x", "b'x'"),
        (Side.BUY, "<Side.BUY: 'buy'>"),
        (None, "None"),
    ],
)
def test_a_short_value_is_quoted_whole(value, expected):
    """Numbers bare, all else as it stands in code, so that no line end gets into a log."""
    assert quoted(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "x" * 200_000,
        b"x" * 200_000,
        bytearray(200_000),
        ["x"] * 200_000,
        10**5000,
        -(10**5000),
        Decimal(10**5000),
        [10**5000],
        nested(100_000),
        Unshowable(),
        "x" * 99,
    ],
    ids=lambda value: type(value).__name__,
)
def test_of_what_is_long_only_the_beginning_is_quoted(value):
    """And what Python cannot write at all is named by its kind: a message never fails, and never fills a screen."""
    assert 0 < len(quoted(value)) <= 100


def test_what_was_cut_says_so():
    """The beginning stands there, and that it is one."""
    assert quoted("x" * 200).startswith("'xxx")
    assert quoted("x" * 200).endswith("x…")
    assert "bits" in quoted(10**5000)


SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
KEY = "Fp4bYh7xKX3QxYwJxkM2l8Q1bJbXv0Zc9rTnE5sWqLdUoAa6GiHk+/zR"


@pytest.mark.parametrize("secret", [SECRET, KEY])
@pytest.mark.parametrize("dress", ["{}", " {}\n", "'{}'", "api_secret={}", "{}, and more"])
@pytest.mark.parametrize("kind", [str, str.encode, lambda text: [text], lambda text: {"a": text}])
def test_a_key_in_a_wrong_place_is_not_repeated(secret, dress, kind):
    """In whatever dress it comes; what is said of it is how long it is."""
    shown = quoted(kind(dress.format(secret)))
    assert secret[:12] not in shown
    assert f"<{len(secret)} characters that look like a key>" in shown


@pytest.mark.parametrize(
    "value",
    [
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "GA5ZSEJYB37JRC5AVCIA5MOP4RHTM335X2KGX3IHOJAPP5RE34K4KZVN",
        "7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV",
        "6d1b345e-2821-40e2-ad83-4ecb18a06876",
        "/data/user/Projects2/strategies/GridTrading/settings.toml",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ],
)
def test_addresses_hashes_and_paths_are_quoted(value):
    """Whoever mistyped one has to see it."""
    assert quoted(value) == repr(value)
