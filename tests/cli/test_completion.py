"""Shell completion."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from krakenasync.cli import main
from krakenasync.cli.completion import pair_names
from krakenasync.cli.profiles import store_profile


def offered(capsys, *words):
    """What a shell is offered for the last word."""
    assert main(["__complete", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    return [line.partition("\t")[0] for line in lines[lines.index("\x1fbegin") + 1 :]]


@pytest.mark.parametrize(
    ("words", "candidate"),
    [
        (["ticker", "XBT"], "XBTUSD"),
        (["ticker", "XBTUSD", "ETH"], "ETHEUR"),
        (["order", "buy", "XBT"], "XBTUSD"),
        (["ohlc", "--interval", "60", "ET"], "ETHUSD"),
        (["call", "Trade"], "TradeBalance"),
        (["balances", "--tier", ""], "starter"),
        (["balances", "--profile", "w"], "work"),
    ],
)
def test_names_are_completed(words, candidate, capsys):
    """Pairs, endpoints, tiers and profiles are offered where they belong."""
    store_profile("work", "key", "c2VjcmV0", None, keyring=False)
    assert candidate in offered(capsys, *words)


def test_fetched_pairs_are_kept(kraken_sandbox, monkeypatch, capsys):
    """--pairs fetches the names once; they are offered from then on."""
    monkeypatch.setenv("KRAKEN_BASE_URL", kraken_sandbox.base_url)
    assert main(["completion", "fish", "--pairs"]) == 0
    assert "pairs kept in" in capsys.readouterr().err
    monkeypatch.setattr("krakenasync.cli.completion.PAIRS", {})
    assert "XBTUSD" in pair_names()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell, capsys):
    """The script names the commands and asks back for the rest; how to install it is a remark."""
    assert main(["completion", shell]) == 0
    shown = capsys.readouterr()
    assert "__complete" in shown.out
    assert "cancel-all" in shown.out
    assert "hint:" in shown.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_can_read_its_script(shell, tmp_path, capsys):
    """The script is syntactically right, where the shell is there to say so."""
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} on this machine")
    assert main(["completion", shell]) == 0
    script = tmp_path / "script"
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    assert subprocess.run([shell, "-n", str(script)], check=False, capture_output=True).returncode == 0


def test_fish_offers_commands_and_pairs(tmp_path, capsys, monkeypatch):
    """A real fish, asked as Tab asks it, offers commands, options and pairs."""
    if shutil.which("fish") is None:
        pytest.skip("there is no fish on this machine")
    assert main(["completion", "fish"]) == 0
    script = tmp_path / "script.fish"
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")

    def tab(line):
        code = f"source {script}; complete -C '{line}'"
        ended = subprocess.run(["fish", "-c", code], capture_output=True, text=True, check=True)
        return [each.partition("\t")[0] for each in ended.stdout.splitlines()]

    assert {"balances", "order", "ticker"} <= set(tab("krakenasync "))
    assert "cancel-all" in tab("krakenasync order c")
    assert "--watch" in tab("krakenasync balances --w")
    assert "XBTUSD" in tab("krakenasync ticker XBT")


ZSH = """\
{loading}
compadd() {{  # note what is offered, before it is
  if [[ ${{@[1,(i)(-|--)]}} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
  local -a hits
  builtin compadd -A hits "$@"
  (( $#hits )) && print -rl -- $hits >> $ZDOTDIR/offered
  builtin compadd "$@"
}}
finish() {{ print -r -- "-- over"; exit }}
comppostfuncs=(finish)
PROMPT=
bindkey "^I" complete-word
"""
TAB = """\
zmodload zsh/zpty
zpty tab zsh -i
zpty -w -n tab "$1"$'\\t'
zpty -r tab all '*-- over*'
"""


@pytest.mark.parametrize(
    "loading",
    [
        "fpath=($ZDOTDIR $fpath); autoload -Uz compinit; compinit -u -d $ZDOTDIR/dump",
        "autoload -Uz compinit; compinit -u -d $ZDOTDIR/dump; source $ZDOTDIR/_krakenasync",
    ],
    ids=["in fpath", "sourced"],
)
def test_zsh_offers_commands_and_pairs(loading, tmp_path, capsys, monkeypatch):
    """A real zsh, in which Tab is pressed, offers commands, options and pairs, however it got the script."""
    if shutil.which("zsh") is None:
        pytest.skip("there is no zsh on this machine")
    assert main(["completion", "zsh"]) == 0
    (tmp_path / "_krakenasync").write_text(capsys.readouterr().out, encoding="utf-8")
    (tmp_path / ".zshrc").write_text(ZSH.format(loading=loading), encoding="utf-8")
    monkeypatch.setenv("ZDOTDIR", str(tmp_path))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    monkeypatch.setenv("TERM", "xterm")

    def tab(line):
        found = tmp_path / "offered"
        found.write_text("", encoding="utf-8")
        subprocess.run(["zsh", "-f", "-c", TAB, "tab", line], check=True, capture_output=True, timeout=60)
        return found.read_text(encoding="utf-8").splitlines()

    assert {"balances", "order", "ticker"} <= set(tab("krakenasync "))
    assert "cancel-all" in tab("krakenasync order c")
    assert "--watch" in tab("krakenasync balances --w")
    assert "XBTUSD" in tab("krakenasync ticker XBT")
    assert "ETHEUR" in tab("krakenasync ohlc --interval 60 ETH")


def test_bash_offers_commands_and_pairs(tmp_path, capsys, monkeypatch):
    """A real bash, asked as its Tab asks, offers commands, options and pairs."""
    if shutil.which("bash") is None:
        pytest.skip("there is no bash on this machine")
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "script.bash"
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")

    def tab(line):
        code = (
            f'source {script}; COMP_LINE="$1"; COMP_POINT=${{#1}}; read -ra COMP_WORDS <<< "$1"; '
            '[[ $1 == *" " ]] && COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); '
            'set -- $(complete -p krakenasync); while [[ $1 != -F ]]; do shift; done; "$2"; '
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        ended = subprocess.run(["bash", "-c", code, "tab", line], capture_output=True, text=True, check=True)
        return [each.strip() for each in ended.stdout.splitlines()]

    assert {"balances", "order", "ticker"} <= set(tab("krakenasync "))
    assert "cancel-all" in tab("krakenasync order c")
    assert "--watch" in tab("krakenasync balances --w")
    assert "XBTUSD" in tab("krakenasync ticker XBT")
