"""An API key and its secret, which nothing shows."""

import base64
import importlib
import inspect
import pkgutil

import pytest

import krakenasync.client
from krakenasync import Account, ConfigurationError, Fleet, InvalidType, Key, KrakenClient
from krakenasync.client.credentials import Credentials, setting
from krakenasync.protocol.signing import decode_secret

OTP = "246813"
ABROAD = {"limits", "sharedlane"}
"""Modules whose objects are made by ours alone, when all that can fail has been checked."""

WRONG = {
    "tier": {"tier": "gold"},
    "timeout": {"timeout": 0},
    "attempts": {"max_attempts": 0},
    "address": {"base_url": "ftp://kraken.test"},
    "unit": {"nonce_unit": "s"},
    "window": {"nonce_window": -1},
    "transport": {"transport": "pigeon"},
    "state": {"state": "redis://hush:hush@"},
    "kind of state": {"state": 5},
    "no such argument": {"tire": "pro"},
}
HALVES = {
    "half a key": lambda key, secret: (None, secret),
    "the other half": lambda key, secret: (key, ""),
    "two lines": lambda key, secret: (f"{key}\nX: y", secret),
    "no base64": lambda key, secret: (key, f"{secret}!!"),
    "no ASCII": lambda key, secret: (key, f"{secret}\u2192"),
    "no text": lambda key, secret: (key, secret.encode()),
}


def leaks(texts, secrets):
    return [text for text in texts if any(secret in text for secret in (*secrets, OTP, "hush"))]


@pytest.fixture
def environ(secrets_of_the_key):
    key, secret, *_ = secrets_of_the_key
    return {"KRAKEN_API_KEY": key, "KRAKEN_API_SECRET": secret}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_setting_that_cannot_work_shows_no_key(wrong, secrets_of_the_key, all_told):
    """Neither half nor a second factor is in a frame of ours, or below ours, whichever setting is refused."""
    key, secret, *_ = secrets_of_the_key
    with pytest.raises((ConfigurationError, TypeError)) as refused:
        KrakenClient(key, secret, otp=OTP, **wrong)
    assert not leaks(all_told(refused.value), secrets_of_the_key)


@pytest.mark.parametrize("spoil", HALVES.values(), ids=HALVES)
@pytest.mark.parametrize("make", [KrakenClient, Key, Credentials])
def test_a_key_that_cannot_be_one_shows_none(make, spoil, secrets_of_the_key, all_told):
    """The half that is right does not show either."""
    with pytest.raises((ConfigurationError, InvalidType)) as refused:
        make(*spoil(*secrets_of_the_key[:2]), otp=OTP)
    assert not leaks(all_told(refused.value), secrets_of_the_key)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_fleet_shows_no_key(wrong, secrets_of_the_key, all_told):
    """Whatever is wrong with the fleet's settings, or with those of a second key."""
    key, secret, *_ = secrets_of_the_key
    ours = {name: wrong[name] for name in wrong.keys() & {"nonce_unit", "nonce_window"}}
    shared = {name: wrong[name] for name in wrong.keys() - ours.keys() - {"tier"}}
    with pytest.raises((ConfigurationError, TypeError)) as refused:
        Fleet(
            [Account("a", Key("first", secret), Key(key, secret, otp=OTP, **ours), tier=wrong.get("tier", "pro"))],
            **shared,
        )
    assert not leaks(all_told(refused.value), secrets_of_the_key)


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_the_environments_key_is_in_no_frame_at_all(wrong, given, environ, monkeypatch, secrets_of_the_key, all_told):
    """The caller never held it: neither as it was found, nor as a part of the whole environment."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises((ConfigurationError, TypeError)) as refused:
        KrakenClient.from_env(environ if given else None, otp=OTP, **wrong)
    assert not leaks(all_told(refused.value), secrets_of_the_key)


@pytest.mark.parametrize(
    "other",
    [
        {"KRAKEN_NONCE_WINDOW": "wide"},
        {"KRAKEN_API_SECRET_FILE": "both"},
        {"KRAKEN_API_SECRET": ""},
        {"KRAKEN_API_SECRET": "", "KRAKEN_API_SECRET_FILE": "/not/there"},
        {"KRAKEN_TIER": "gold"},
    ],
    ids=str,
)
def test_an_environment_that_cannot_work_shows_no_key(other, environ, secrets_of_the_key, all_told):
    """Also when it is the environment that is wrong."""
    with pytest.raises(ConfigurationError) as refused:
        KrakenClient.from_env(environ | other)
    assert not leaks(all_told(refused.value), secrets_of_the_key)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda key, secret: (secret, key), "key and secret are swapped"),
        (lambda key, secret: (f"'{key}'", secret), "quotation marks"),
        (lambda key, secret: (f'"{key}"', f'"{secret}"'), "quotation marks"),
        (lambda key, secret: (key, f"'{secret}'"), "quotation marks"),
        (lambda key, secret: (key, secret[:-3]), "cut short"),
    ],
    ids=["swapped", "key", "both", "secret", "cut"],
)
def test_a_key_that_cannot_work_is_told_by_its_looks(spoil, said, all_told):
    """Before the secret travels in the place of the key."""
    halves = tuple(base64.b64encode(bytes(range(size))).decode() for size in (42, 64))
    with pytest.raises(ConfigurationError, match=said) as refused:
        Credentials(*spoil(*halves))
    assert refused.value.hint
    assert not leaks(all_told(refused.value), halves)
    assert Credentials(*halves).signer


def test_a_secret_in_the_place_of_its_file_is_not_repeated(tmp_path, secrets_of_the_key, all_told):
    """It is no path that leads anywhere; one that does, but to no file, is told."""
    for given in (secrets_of_the_key[1], f"{tmp_path}/{'x' * 5000}", "~nobody/secret", "x\0y"):
        with pytest.raises(ConfigurationError, match="X_FILE cannot be read") as refused:
            setting("X", {"X_FILE": given})
        assert "goes into X" in refused.value.hint
        assert not leaks(all_told(refused.value), secrets_of_the_key)
    with pytest.raises(ConfigurationError, match=f"{tmp_path}/none: No such file"):
        setting("X", {"X_FILE": f"{tmp_path}/none"})


def test_a_file_in_ones_home_is_found(tmp_path, monkeypatch):
    """As a shell would find it, where none has looked."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "secret").write_text("c2VjcmV0\n")
    assert setting("X", {"X_FILE": "~/secret"}) == "c2VjcmV0"


def test_a_file_that_is_no_text_does_not_show_what_is_in_it(tmp_path, all_told):
    """Python's own decoder holds it in its frames."""
    path = tmp_path / "secret"
    path.write_bytes(b"hush\xff")
    with pytest.raises(ConfigurationError, match="not text") as refused:
        setting("X", {"X_FILE": str(path)})
    assert not leaks(all_told(refused.value), ())


def test_a_secret_that_is_not_base64_is_not_in_the_frame_that_says_so(secrets_of_the_key, all_told):
    """Whoever decodes one without a client is told as little."""
    with pytest.raises(ConfigurationError) as refused:
        decode_secret(f"{secrets_of_the_key[1]}!!")
    assert not leaks(all_told(refused.value), secrets_of_the_key)


def step_by_step():
    """Yield all classes of the client's room that have a `__repr__` of their own and are built step by step."""
    for module in pkgutil.iter_modules(krakenasync.client.__path__):
        if module.name not in ABROAD:
            found = importlib.import_module(f"krakenasync.client.{module.name}")
            for name, kind in inspect.getmembers(found, inspect.isclass):
                if kind.__module__ == found.__name__ and {"__init__", "__repr__"} <= vars(kind).keys():
                    yield pytest.param(kind, id=name)


@pytest.mark.parametrize("kind", list(step_by_step()))
def test_an_object_that_is_not_built_can_be_shown(kind):
    """A traceback with local variables asks for it, and must not fail for that."""
    assert repr(kind.__new__(kind)) == f"<{kind.__name__}, not built>"


def test_a_traceback_with_locals_of_a_constructor_of_the_callers_own(secrets_of_the_key):
    """A class derived from ours may fail before ours is built, with itself among its frame's local variables."""

    class Mine(KrakenClient):
        def __init__(self):
            raise LookupError(repr(self))

    with pytest.raises(LookupError, match="<Mine, not built>"):
        Mine()
