"""What a key's looks tell."""

import base64
from urllib.parse import quote

import pytest

from krakenasync.protocol.keyshape import mixed_up, suspicions

KEY = base64.b64encode(bytes(range(42))).decode()
BYTES = bytes(range(150, 214))
SECRET = base64.b64encode(BYTES).decode()


@pytest.mark.parametrize(
    ("key", "secret", "said"),
    [
        (SECRET, KEY, "swapped"),
        (SECRET, SECRET, "the same text"),
        (KEY, f"'{SECRET}'", "quotation marks"),
        (KEY, quote(SECRET, safe=""), "URL-encoded"),
        (KEY, f"{SECRET[:40]} {SECRET[40:]}", "blank"),
        (KEY, BYTES.hex(), "hex"),
        (KEY, base64.b64encode(SECRET.encode()).decode(), "encoded twice"),
        (KEY, BYTES.decode("latin-1"), "decoded already"),
        (KEY, repr(BYTES), "decoded already"),
        (KEY, base64.urlsafe_b64encode(BYTES).decode(), "URL-safe"),
        (KEY, SECRET[:-3], "cut short"),
        (KEY, "not!base64", "not base64"),
        (KEY, "-----BEGIN EC PRIVATE KEY-----", "another exchange or kind"),
    ],
)
def test_each_fault_is_recognised(key, secret, said):
    """The first suspicion names the fault, is sure of it and never repeats the secret."""
    found = suspicions(key, secret)
    assert said in found[0].said
    assert found[0].sure
    assert all(secret not in each.said + each.remedy for each in found)


def test_a_good_key_is_not_suspected():
    """A key as Kraken makes them passes, white space around it too."""
    assert suspicions(KEY, SECRET) == mixed_up(KEY, SECRET) == []
    assert suspicions(f" {KEY}\n", f"{SECRET}\n") == []


def test_unusual_lengths_are_only_unusual():
    """Another length may be right: it is mentioned, not refused."""
    (found,) = suspicions("my-key", base64.b64encode(b"short").decode())
    assert not found.sure
