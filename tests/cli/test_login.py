"""``krakenasync login``."""

import base64
import io

import pytest

from krakenasync import ConfigurationError
from krakenasync.cli import main
from krakenasync.cli.login import login
from krakenasync.cli.profiles import profile_file, read_profile

KEY = base64.b64encode(bytes(range(42))).decode()
SECRET = base64.b64encode(bytes(range(64))).decode()


def test_a_pipe_gives_both_halves(typed, capsys):
    """Two lines on standard input are stored, and neither is shown."""
    typed(f"{KEY}\n{SECRET}\n", terminal=False)
    assert main(["login", "--profile", "work", "--tier", "Pro"]) == 0
    shown = capsys.readouterr()
    assert KEY not in shown.out + shown.err
    assert SECRET not in shown.out + shown.err
    assert "doctor --profile work" in shown.err
    assert read_profile("work") == {"api_key": KEY, "api_secret": SECRET, "tier": "pro"}


def test_a_terminal_is_asked_without_echo(typed, monkeypatch):
    """At a terminal both halves are asked for as passwords are."""
    answers = iter([KEY, SECRET])
    asked = []
    monkeypatch.setattr("krakenasync.cli.asking.getpass", lambda what, _stream: (asked.append(what), next(answers))[1])
    typed("", terminal=True)
    assert main(["login"]) == 0
    assert asked == ["API key: ", "Private key: "]
    assert read_profile("default")["api_key"] == KEY


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ("", "nothing was entered"),
        (f"{KEY}\n", "only the API key was entered"),
        (f"\n{SECRET}\n", "nothing was entered"),
        (f"{SECRET}\n{KEY}\n", "swapped"),
        (f"{KEY}\n{'ab' * 64}\n", "hex"),
    ],
)
def test_what_cannot_work_is_not_stored(entered, said, typed, capsys):
    """A key that cannot be one is refused with its reason, before anything is written."""
    typed(entered, terminal=False)
    assert main(["login"]) == 2
    assert said in capsys.readouterr().err
    assert not profile_file().exists()


def test_a_wrong_tier_is_refused_before_the_question(typed, capsys):
    """A tier that does not exist is said first."""
    typed(f"{KEY}\n{SECRET}\n", terminal=False)
    assert main(["login", "--tier", "gold"]) == 2
    assert "unknown tier" in capsys.readouterr().err


@pytest.mark.parametrize("entered", [f"{SECRET}\n{KEY}\n", f"{KEY}\n{'ab' * 64}\n", f"{KEY}\n"])
def test_what_was_entered_is_in_no_frame(entered, typed, all_told):
    """The error that refuses it was raised where it had just been read."""
    typed(entered, terminal=False)
    with pytest.raises(ConfigurationError) as refused:
        login()
    assert not [shown for shown in all_told(refused.value) if any(half in shown for half in entered.split())]


def test_what_is_not_utf_8_is_told(monkeypatch, capsys):
    """A file in UTF-16, say, on a strict standard input; what was read is not shown."""
    monkeypatch.setattr(
        "sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfeS3CRET\n"), encoding="utf-8", errors="strict")
    )
    assert main(["login"]) == 2
    shown = capsys.readouterr().err
    assert "not UTF-8" in shown
    assert "S3CRET" not in shown
    assert not profile_file().exists()
