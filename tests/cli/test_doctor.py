"""``krakenasync doctor``: each fault is planted, and has to be found."""

import asyncio
import base64
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from krakenasync import InvalidArguments, NotSent, ProtocolError, ServiceUnavailable
from krakenasync.cli import main
from krakenasync.cli.checks import _expiry, check_facts, check_store, explain_unreachable
from krakenasync.cli.doctor import _signature
from krakenasync.cli.profiles import Settings
from krakenasync.cli.rendering import AS_TABLE
from krakenasync.spot.account import ApiKeyInfo

ORDER = [
    "reachability",
    "clock",
    "key shape",
    "signature",
    "permissions",
    "nonce unit",
    "nonce window",
    "IP allow-list",
    "expiry",
    "tier",
    "state store",
]


@dataclass
class Report:
    code: int
    rows: list

    def __getitem__(self, check):
        """The gravest finding of a check."""
        return max(
            (row for row in self.rows if row["check"] == check),
            key=lambda row: ["skip", "ok", "warn", "fail"].index(row["verdict"]),
        )


@pytest.fixture
def doctor(capsys):
    """Run doctor and read its report."""

    def run(*tokens):
        code = main(["doctor", "--json", *tokens])
        return Report(code, [json.loads(line) for line in capsys.readouterr().out.splitlines()])

    return run


def test_a_good_set_up_passes_every_check_in_order(environment, doctor):
    """Every check has a line, in order, and none fails."""
    report = doctor()
    assert report.code == 0
    assert list(dict.fromkeys(row["check"] for row in report.rows)) == ORDER
    assert all(row["verdict"] in {"ok", "warn"} for row in report.rows)


def test_it_needs_nothing_with_a_sandbox_of_its_own(capsys):
    """--sandbox examines a sandbox, and the title says so."""
    assert main(["doctor", "--sandbox"]) == 0
    assert "SANDBOX" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda key, secret: (secret, key), "swapped"),
        (lambda key, secret: (key, base64.b64decode(secret).hex()), "hex"),
        (lambda key, secret: (key, base64.b64encode(secret.encode()).decode()), "encoded twice"),
        (lambda key, secret: (key, repr(base64.b64decode(secret))), "decoded already"),
        (lambda key, secret: (key, quote(secret, safe="") + "%3D"), "URL-encoded"),
        (lambda key, secret: (key, secret[:-5]), "cut short"),
    ],
)
def test_a_spoilt_key_is_recognised_and_never_sent(spoil, said, environment, monkeypatch, doctor):
    """What the key's looks tell is said before Kraken could count a failure."""
    key, secret = spoil(environment.api_key, environment.api_secret)
    monkeypatch.setenv("KRAKEN_API_KEY", key)
    monkeypatch.setenv("KRAKEN_API_SECRET", secret)
    report = doctor()
    assert report.code == 2
    assert said in report["key shape"]["found"]
    assert report["signature"]["verdict"] == "skip"
    assert environment.stats.requests["GetApiKeyInfo"] == 0


def test_another_keys_secret_is_a_wrong_signature(environment, monkeypatch, doctor):
    """A secret of the right shape that belongs to another key: the remedy says so."""
    monkeypatch.setenv("KRAKEN_API_SECRET", environment.key("bob").api_secret)
    report = doctor()
    assert report.code == 1
    assert report["signature"]["found"] == "EAPI:Invalid signature"
    assert "belongs to another key" in report["signature"]["remedy"]
    assert environment.stats.requests["GetApiKeyInfo"] == 1


def test_a_futures_key_is_an_unknown_key(environment, monkeypatch, doctor):
    """A key that Kraken does not know: deleted, of another address, or one for Futures."""
    monkeypatch.setenv("KRAKEN_API_KEY", environment.api_key[::-1])
    report = doctor()
    assert report.code == 1
    assert "Futures" in report["signature"]["remedy"]


@pytest.mark.parametrize(
    ("refusal", "check", "code", "said"),
    [
        ("EGeneral:Temporary lockout", "signature", 1, "15 minutes"),
        ("EGeneral:Permission denied", "permissions", 1, "permission"),
        ("EAPI:Rate limit exceeded", "tier", 4, "tier is lower"),
        ("EService:Unavailable", "signature", 3, "try again"),
    ],
)
def test_a_refusal_is_explained(refusal, check, code, said, environment, doctor):
    """Each of Kraken's refusals is put under the check it belongs to."""
    environment.faults.add("GetApiKeyInfo", refusal)
    report = doctor()
    assert report.code == code
    assert said in report[check]["remedy"]


def test_a_nonce_of_a_finer_unit_is_named(environment, doctor):
    """A key that was used with nanoseconds refuses milliseconds; the remedy names the variable."""
    environment.key().last_nonce = 1_780_000_000_000_000_000
    report = doctor()
    assert report.code == 1
    assert report["nonce"]["found"] == "EAPI:Invalid nonce"
    assert "KRAKEN_NONCE_UNIT=us" in report["nonce"]["remedy"]


def test_a_nonce_window_wider_than_the_keys_fails(environment, monkeypatch, doctor):
    """A window that the key does not have would make calls overtake each other."""
    monkeypatch.setenv("KRAKEN_NONCE_WINDOW", "5000")
    report = doctor()
    assert report["nonce window"]["verdict"] == "fail"
    assert "KRAKEN_NONCE_WINDOW=0" in report["nonce window"]["remedy"]


def test_withdrawal_rights_are_warned_of(environment, doctor):
    """A key that can move money away is worth a warning; one that cannot is not."""
    assert "withdraw-funds" in doctor()["permissions"]["found"]
    environment.key().permissions = frozenset({"query-funds"})
    assert doctor()["permissions"] == {
        "check": "permissions",
        "verdict": "ok",
        "found": "query-funds",
        "remedy": "",
    }


def test_a_key_without_queries_fails(environment, doctor):
    """A key that may ask nothing is of no use."""
    environment.key().permissions = frozenset({"create-ws-token"})
    assert doctor()["permissions"]["verdict"] == "fail"


def test_an_address_that_does_not_answer_is_a_network_matter(environment, monkeypatch, doctor):
    """Nothing is signed when Kraken cannot be reached; the key's shape is looked at all the same."""
    monkeypatch.setenv("KRAKEN_BASE_URL", "http://127.0.0.1:1")
    report = doctor()
    assert report.code == 3
    assert "connection refused" in report["reachability"]["found"]
    assert report["key shape"]["verdict"] == "ok"
    assert report["signature"]["verdict"] == "skip"


@pytest.mark.skipif(os.name != "posix", reason="files have no such modes there")
@pytest.mark.parametrize(("mode", "verdict"), [(0o644, "warn"), (0o600, None)])
def test_a_secret_that_others_may_read_is_worth_a_warning(mode, verdict, environment, monkeypatch, doctor, tmp_path):
    """No more: what a container mounts is often readable to all in it."""
    path = tmp_path / "secret"
    path.write_text(environment.api_secret)
    path.chmod(mode)
    monkeypatch.delenv("KRAKEN_API_SECRET")
    monkeypatch.setenv("KRAKEN_API_SECRET_FILE", str(path))
    report = doctor()
    assert report.code == 0
    assert [row["verdict"] for row in report.rows if row["check"] == "key file"] == ([verdict] if verdict else [])


def test_no_key_is_said_after_the_network(environment, monkeypatch, doctor):
    """Without a key there is still something to say; half a key is told from none."""
    monkeypatch.delenv("KRAKEN_API_SECRET")
    report = doctor()
    assert report.code == 2
    assert report["reachability"]["verdict"] == "ok"
    assert "the secret is missing" in report["key shape"]["found"]


@pytest.mark.parametrize(
    ("name", "value", "check"),
    [
        ("KRAKEN_TIER", "gold", "settings"),
        ("KRAKEN_NONCE_WINDOW", "wide", "settings"),
        ("KRAKEN_NONCE_UNIT", "s", "settings"),
        ("KRAKEN_BASE_URL", "api.kraken.com", "reachability"),
    ],
)
def test_a_setting_that_cannot_work_is_a_finding(name, value, check, environment, monkeypatch, doctor):
    """A wrong setting has its line, with exit code 2."""
    monkeypatch.setenv(name, value)
    report = doctor()
    assert report.code == 2
    assert report[check]["verdict"] == "fail"


@pytest.mark.parametrize(("seconds", "said"), [(90, "behind"), (-90, "ahead of")])
def test_a_wrong_clock_is_measured(seconds, said, environment, monkeypatch, doctor):
    """A clock that is off by more than a deadline bears is warned of, with its direction."""

    class Skewed:
        def wall_ns(self):
            return int(datetime.now(UTC).timestamp() * 10**9) - seconds * 10**9

    monkeypatch.setattr("krakenasync.cli.checks.SYSTEM_CLOCK", Skewed())
    found = doctor()["clock"]
    assert found["verdict"] == "warn"
    assert said in found["found"]


@pytest.mark.parametrize(
    ("error", "said", "remedy"),
    [
        (NotSent("could not reach h:443: it does not speak TLS", hint="begins with http://"), "could not", "begins"),
        (NotSent("could not reach h:443: no way"), "could not reach h:443", "network up"),
        (ProtocolError("an HTML page instead of an answer"), "h: an HTML page", "address Kraken's"),
        (ServiceUnavailable("", codes=["EService:Busy"]), "h: EService:Busy", "network up"),
    ],
)
def test_why_there_is_no_answer(error, said, remedy):
    """What the error says is said, and what to do about it."""
    found = explain_unreachable("https://h", error)
    assert found.said.startswith(said)
    assert remedy in found.remedy
    assert found.verdict == "fail"


def info(**changes):
    facts = {"api_key_name": "bot", "api_key": "k", "nonce": 1780000000000, "nonce_window": 0, "permissions": []}
    return ApiKeyInfo(**{**facts, **changes})


@pytest.mark.parametrize(
    ("nonce", "unit", "verdict"),
    [
        (1780000000000, "ms", "ok"),
        (1780000000000000, "ms", "fail"),
        (1780000000000000, "ns", "ok"),
        (7, "ms", "ok"),
    ],
)
def test_the_unit_is_read_off_the_last_nonce(nonce, unit, verdict):
    """As many digits as the last nonce has tell its unit; a finer one than configured cannot work."""
    found = {each.check: each for each in check_facts(info(nonce=nonce), unit, 0)}
    assert found["nonce unit"].verdict == verdict


def test_the_allow_list_and_the_window_are_told():
    """Addresses and a window of the key's are shown."""
    found = {each.check: each for each in check_facts(info(ip_allowlist=["192.0.2.1"], nonce_window=9), "ms", 0)}
    assert found["IP allow-list"].said == "192.0.2.1"
    assert "KRAKEN_NONCE_WINDOW=9" in found["nonce window"].said


@pytest.mark.parametrize("allowed", [[], [""]])
def test_an_allow_list_without_an_address_is_none(allowed):
    """Kraken has been seen to list an empty name for a key that works from anywhere."""
    found = {each.check: each for each in check_facts(info(ip_allowlist=allowed), "ms", 0)}
    assert found["IP allow-list"].verdict == "warn"


@pytest.mark.parametrize(("year", "verdict"), [(2001, "warn"), (2999, "ok")])
def test_an_end_that_is_near_is_warned_of(year, verdict):
    """An expiry within two weeks, or past, is worth a warning."""
    assert _expiry(info(valid_until=datetime(year, 1, 1, tzinfo=UTC))).verdict == verdict


def test_a_state_store_that_answers_is_named_and_used(environment, monkeypatch, tmp_path, doctor):
    """The counters of the commands are those of the programs that share it."""
    monkeypatch.setenv("KRAKEN_STATE", f"sqlite:///{tmp_path}/state.db")
    report = doctor()
    assert report.code == 0
    assert "state.db answers" in report["state store"]["found"]
    assert (tmp_path / "state.db").exists()


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("redis://me:hidden@127.0.0.1:1/0", 3, "does not answer"),
        ("sqlite:////does/not/exist/state.db", 2, "/does/not/exist"),
        ("mysql://me:hidden@host/0", 2, "'mysql' is not known"),
    ],
)
def test_a_state_store_that_cannot_be_used_is_a_finding(url, code, said, environment, monkeypatch, doctor):
    """Nothing is signed then, for the nonce would come from there; no password is shown."""
    monkeypatch.setenv("KRAKEN_STATE", url)
    report = doctor()
    assert report.code == code
    assert said in report["state store"]["found"]
    assert report["state store"]["remedy"]
    assert report["signature"]["verdict"] == "skip"
    assert "hidden" not in str(report.rows)
    assert environment.stats.requests["GetApiKeyInfo"] == 0


def test_a_state_store_that_may_be_away_is_warned_of():
    """Its URL says that calls go on without it: that is no failure, but worth knowing."""
    url = "redis://me:hidden@127.0.0.1:1/0?on_state_failure=local&share=0.25"
    found = asyncio.run(check_store(url))
    assert (found.verdict, found.error) == ("warn", None)
    assert found.said.startswith("redis://127.0.0.1:1/0 does not answer")


@pytest.mark.parametrize(("path", "body"), [("/1/private/Balance", "nonce=1"), ("/0/private/Balance", "")])
def test_a_secret_to_compare_with_is_in_no_frame(path, body, all_told):
    """Whatever is wrong with the rest of what was given."""
    found = Settings({"KRAKEN_API_SECRET": "U0VDUkVUVEVYVA=="}, "environment")
    with pytest.raises(InvalidArguments) as refused:
        _signature(found, path, body, "c2lnbg==", AS_TABLE)
    assert not [shown for shown in all_told(refused.value) if "U0VDUkVUVEVYVA" in shown]
