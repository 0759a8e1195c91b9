"""Where keys are kept."""

import pickle
import sys
from types import SimpleNamespace

import pytest
from rich.pretty import pretty_repr

from krakenasync import ConfigurationError
from krakenasync.cli import main
from krakenasync.cli.completion import pair_names
from krakenasync.cli.connection import _need_key
from krakenasync.cli.profiles import Settings, known_profiles, profile_file, read_profile, settings, store_profile


def write(text, mode=0o600):
    path = profile_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


class Keychain:
    """A keychain in memory."""

    def __init__(self):
        self.kept = {}

    def set_password(self, service, name, password):
        self.kept[service, name] = password

    def get_password(self, service, name):
        return self.kept.get((service, name))


@pytest.fixture
def keychain(monkeypatch):
    ring = Keychain()
    monkeypatch.setitem(sys.modules, "keyring", ring)
    return ring


def test_what_is_stored_is_read_again():
    """A stored profile comes back whole, beside those that were there."""
    store_profile("first", "key-1", "c2VjcmV0", "pro", keyring=False)
    store_profile('odd "name"\\', "key-2", "c2VjcmV0", None, keyring=False)
    assert read_profile("first") == {"api_key": "key-1", "api_secret": "c2VjcmV0", "tier": "pro"}
    assert read_profile('odd "name"\\')["api_key"] == "key-2"
    assert known_profiles() == ["first", 'odd "name"\\']


def test_the_file_is_its_owners_alone():
    """The file is made for its owner's eyes only, whatever the mask."""
    store_profile("default", "key", "c2VjcmV0", None, keyring=False)
    assert profile_file().stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_others_can_read_is_refused(mode):
    """A profile file that is open to others is refused, with the command that mends it."""
    path = write("[default]\napi_key = 'k'\n", mode)
    with pytest.raises(ConfigurationError, match="read by others") as refused:
        read_profile("default")
    assert refused.value.hint == f"chmod 600 {path}"
    assert known_profiles() == []


@pytest.mark.parametrize(
    "text", ["title = 'mine'\n[old]\napi_key = 'k'\n", "[old]\nkeys = ['k']\n", "[old.deep]\na = 1\n"]
)
def test_a_file_that_holds_more_than_profiles_is_not_rewritten(text):
    """What would be lost or mangled stays as it is."""
    path = write(text)
    with pytest.raises(ConfigurationError, match=r"contains more than profiles: (title|old)"):
        store_profile("new", "k", "c2VjcmV0", None, keyring=False)
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[default]\napi_key = SECRETTEXT\n", "is not TOML"),
        ("default = 'SECRETTEXT'\n", "is not a table"),
        ("[default]\nsecret = 'SECRETTEXT'\n", "unknown secret"),
        ("[other]\napi_key = 'SECRETTEXT'\n", "no profile 'default'"),
    ],
)
def test_a_faulty_file_is_explained_without_its_content(text, said):
    """What is wrong is said; what stands in the file is not."""
    write(text)
    with pytest.raises(ConfigurationError) as refused:
        read_profile("default")
    assert said in str(refused.value)
    assert "SECRETTEXT" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "[default]\napi_key = SECRETTEXT\n",
        "default = 'SECRETTEXT'\n",
        "[default]\nsecret = 'SECRETTEXT'\n",
        "[other]\napi_key = 'SECRETTEXT'\n",
        "[default]\napi_key = 'SECRETTEXT'\nkeyring = true\n",
    ],
)
@pytest.mark.parametrize("read", [read_profile, settings])
def test_a_faulty_file_is_in_no_frame(text, read, keychain, monkeypatch, all_told):
    """Not in those of the TOML reader either, which hold it whole."""
    write(text)
    monkeypatch.setenv("KRAKEN_PROFILE", "default")
    with pytest.raises(ConfigurationError) as refused:
        read("default")
    assert not [shown for shown in all_told(refused.value) if "SECRETTEXT" in shown]


@pytest.mark.parametrize("keyring", [False, True])
def test_a_key_that_cannot_be_stored_is_in_no_frame(keyring, home, monkeypatch, all_told):
    """Neither our own frames nor what the keychain said tell it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", "/dev/null")

    def locked(*words):
        raise RuntimeError(words)

    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(set_password=locked))
    with pytest.raises(ConfigurationError) as refused:
        store_profile("work", "SECRETKEY", "SECRETTEXT", None, keyring=keyring)
    assert not [shown for shown in all_told(refused.value) if "SECRETKEY" in shown or "SECRETTEXT" in shown]


def test_the_environment_comes_before_the_default_profile(monkeypatch):
    """A profile asked for wins, then the environment, then the profile named default."""
    write("[default]\napi_key = 'from-default'\n[other]\napi_key = 'from-other'\n")
    assert settings().value("KRAKEN_API_KEY") == "from-default"
    monkeypatch.setenv("KRAKEN_API_KEY", "from-environment")
    assert settings().value("KRAKEN_API_KEY") == "from-environment"
    assert settings("other").value("KRAKEN_API_KEY") == "from-other"
    monkeypatch.setenv("KRAKEN_PROFILE", "other")
    assert settings().value("KRAKEN_API_KEY") == "from-other"


def test_a_profile_without_an_address_keeps_to_the_environments(monkeypatch):
    """Where the environment points at a sandbox, a stored key does not go to Kraken itself; its own address wins."""
    write("[default]\napi_key = 'k'\n[far]\napi_key = 'k'\nbase_url = 'https://far.example'\n")
    monkeypatch.setenv("KRAKEN_BASE_URL", "http://127.0.0.1:1")
    assert settings("default").value("KRAKEN_BASE_URL") == "http://127.0.0.1:1"
    assert settings("far").value("KRAKEN_BASE_URL") == "https://far.example"


def test_settings_show_no_key():
    """The representation names the origin alone."""
    write("[default]\napi_key = 'from-default'\n")
    assert repr(settings()) == "Settings(profile 'default')"
    assert pretty_repr(settings()) == """Settings(origin="profile 'default'")"""


def test_settings_are_not_pickled():
    """They hold a key."""
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Settings({"KRAKEN_API_KEY": "k"}, "environment"))


def test_half_a_key_in_the_settings_is_in_no_frame(all_told):
    """The half that is there does not show in the error that says which one is missing."""
    for name in ("KRAKEN_API_KEY", "KRAKEN_API_SECRET"):
        with pytest.raises(ConfigurationError, match="is not set") as refused:
            _need_key(Settings({name: "SECRETTEXT"}, "environment"))
        assert not [shown for shown in all_told(refused.value) if "SECRETTEXT" in shown]


def test_the_keychain_keeps_both_halves(keychain):
    """With the keychain the file holds no part of the key."""
    place = store_profile("work", "key-1", "c2VjcmV0", "pro", keyring=True)
    assert place == "the system's keychain"
    assert "key-1" not in profile_file().read_text(encoding="utf-8")
    assert read_profile("work") == {"api_key": "key-1", "api_secret": "c2VjcmV0", "tier": "pro"}


def test_an_empty_or_missing_keychain_is_explained(keychain, monkeypatch):
    """No entry, no keychain and no package each have their own line."""
    write("[work]\nkeyring = true\n")
    with pytest.raises(ConfigurationError, match="has nothing"):
        read_profile("work")

    def locked(*_words):
        raise RuntimeError("the password is hunter2")

    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=locked, set_password=locked))
    with pytest.raises(ConfigurationError, match="did not open: RuntimeError") as refused:
        read_profile("work")
    assert "hunter2" not in str(refused.value)
    assert "unlocked" in (refused.value.hint or "")
    with pytest.raises(ConfigurationError, match="refused it: RuntimeError") as refused:
        store_profile("work", "key-1", "c2VjcmV0", None, keyring=True)
    assert "hunter2" not in str(refused.value)
    assert "without --keyring" in (refused.value.hint or "")
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigurationError, match="not installed") as refused:
        read_profile("work")
    assert "krakenasync[keyring]" in str(refused.value.hint)


def test_a_profile_opens_its_account(kraken_sandbox, capsys):
    """--profile names key and address; the result is that account's."""
    key = kraken_sandbox.key("dave")
    write(
        f"[dave]\napi_key = '{key.api_key}'\napi_secret = '{key.api_secret}'\nbase_url = '{kraken_sandbox.base_url}'\n"
    )
    assert main(["--profile", "dave", "balances", "--csv"]) == 0
    assert "ZUSD,1500" in capsys.readouterr().out


def test_an_unknown_profile_names_those_there_are(capsys):
    """A wrong name is answered with the right ones."""
    write("[work]\napi_key = 'k'\n")
    assert main(["balances", "--profile", "wrok"]) == 2
    assert "there are work" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "  "])
def test_a_profile_has_a_name(name):
    """One that nobody could ask for is not stored."""
    with pytest.raises(ConfigurationError, match="needs a name"):
        store_profile(name, "k", "c2VjcmV0", None, keyring=False)
    assert known_profiles() == []


@pytest.mark.parametrize("name", ["TIER", "NONCE_UNIT", "NONCE_WINDOW", "STATE"])
def test_what_a_profile_does_not_contain_is_the_environments(name, monkeypatch):
    """As the help of each says; but never the other half of a key."""
    write(f"[default]\napi_key = 'k'\n[own]\napi_key = 'k'\n{name.lower()} = 'its own'\n")
    monkeypatch.setenv(f"KRAKEN_{name}", "the environment's")
    monkeypatch.setenv("KRAKEN_API_SECRET", "of another key")
    assert settings("default").value(f"KRAKEN_{name}") == "the environment's"
    assert settings("own").value(f"KRAKEN_{name}") == "its own"
    assert not settings("default").value("KRAKEN_API_SECRET")


@pytest.mark.parametrize("name", ["a\x7fb", "a\nb"])
def test_a_name_that_cannot_be_read_again_is_not_stored(name):
    """TOML forbids some characters that JSON lets pass: the file would be unreadable for all profiles."""
    with pytest.raises(ConfigurationError, match="printable"):
        store_profile(name, "k", "c2VjcmV0", None, keyring=False)
    assert known_profiles() == []


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_a_number_that_json_does_not_know_is_not_rewritten(number):
    """It would come out as null, and spoil the file."""
    write(f"[odd]\nnonce_window = {number}\n")
    with pytest.raises(ConfigurationError, match="odd"):
        store_profile("mine", "k", "c2VjcmV0", None, keyring=False)
    assert known_profiles() == ["odd"]


def test_a_link_to_the_file_stays_one(tmp_path):
    """As in a folder of dotfiles: it is the file behind it that is rewritten."""
    path = write("[first]\napi_key = 'k'\n")
    path.rename(tmp_path / "mine.toml")
    path.symlink_to(tmp_path / "mine.toml")
    store_profile("second", "k", "c2VjcmV0", None, keyring=False)
    assert path.is_symlink()
    assert "second" in (tmp_path / "mine.toml").read_text(encoding="utf-8")


def test_without_a_home_there_are_no_profiles(monkeypatch):
    """In some containers a user has none: what needs no profile works, and storing one says what to set."""

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr("pathlib.Path.home", homeless)
    assert settings().origin == "environment"
    assert known_profiles() == []
    with pytest.raises(ConfigurationError, match="XDG_CONFIG_HOME"):
        store_profile("mine", "k", "c2VjcmV0", None, keyring=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert "XBTUSD" in pair_names()
