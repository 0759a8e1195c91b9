"""Balances, credit and the key itself."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from krakenasync.spot.account import (
    Balance,
    BalanceEx,
    CreditLines,
    GetApiKeyInfo,
    ListWalletAccounts,
    TradeBalance,
    WalletAccount,
    WalletFlags,
)


def test_balances_are_exact(sample):
    """Every digit Kraken prints is kept, suffixed assets included."""
    balances = sample(Balance)

    assert str(balances["XXBT"]) == "1011.1908877900"
    assert balances["DOT28.S"] == 0
    assert Balance(rebase_multiplier="base").params() == {"rebase_multiplier": "base"}


def test_extended_balances_as_text_or_number_in_either_spelling(sample):
    """Kraken's schema says text, its example prints numbers, and its Earn guide writes hold_trading."""
    balances = sample(BalanceEx)

    assert balances["XXBT"].balance == Decimal("1.2435")
    assert balances["ZUSD"].available == Decimal("17185.45")
    assert balances["ZEUR"].hold_trade == balances["ZEUR"].hold_trading == 40
    assert balances["ZEUR"].available == 100 + 50 - 10 - 40


@pytest.mark.parametrize("name", ["hold_trade", "hold_trading"])
def test_a_zero_keeps_its_digits(answer, name):
    """In either spelling."""
    (balance,) = answer(BalanceEx, {"AMBRx.T": {"balance": "1.00000", name: "0.00000"}}).values()

    assert str(balance.hold_trade) == str(balance.hold_trading) == "0.00000"


def test_wallets_of_an_account(sample, answer):
    """By the id that other calls name them by; what an answer leaves out is not made up."""
    wallets = sample(ListWalletAccounts)

    flags = WalletFlags(user_defined=False, active=True)
    assert wallets.accounts == [
        WalletAccount(account_id="WX6V-JUKW-KKPB-QE36", flags=flags, status="active", type="main")
    ]
    assert wallets.cursor.next is None
    assert answer(ListWalletAccounts, {"accounts": [{"account_id": "A"}]}).accounts[0].flags.active is None


def test_credit_lines(sample, answer):
    """An account without credit lines gets None."""
    assert sample(CreditLines).asset_details["ZUSD"].available_credit == 4750
    assert sample(CreditLines).limits_monitor.debt_to_equity is None
    assert answer(CreditLines, None) is None


def test_credit_lines_by_the_names_of_kraken_s_schema(answer):
    """Its example has other ones."""
    names = ("credit", "credit_used", "hold_trade", "collateral_value", "rollover_fees", "reserve_fees")
    line = answer(CreditLines, {"asset_details": {"ZUSD": dict.fromkeys(names, "1.50")}}).asset_details["ZUSD"]
    assert {str(getattr(line, name)) for name in names} == {"1.50"}


def test_trade_balance_in_words(sample, answer):
    """Kraken's letters have names, and the margin level is missing without positions."""
    balance = sample(TradeBalance)

    assert (balance.equivalent_balance, balance.free_margin) == (Decimal("1101.3425"), Decimal("375.1678"))
    assert balance.margin_level == Decimal("5432.57")
    assert answer(TradeBalance, {"eb": "1", "tb": "1", "e": "1", "mf": "1"}).margin_level is None


CAMEL = {
    "apiKeyName": "bot",
    "apiKey": "abc",
    "nonce": "7",
    "nonceWindow": 10000,
    "permissions": ["query-funds"],
    "validUntil": "1772064000",
    "ipAllowlist": [],
}
SNAKE = {
    "api_key_name": "bot",
    "api_key": "abc",
    "nonce": "7",
    "nonce_window": 10000,
    "permissions": ["query-funds"],
    "valid_until": "1772064000",
    "ip_allowlist": [],
}


@pytest.mark.parametrize("spelling", [CAMEL, SNAKE], ids=["camelCase", "snake_case"])
def test_key_info_in_either_spelling(answer, spelling):
    """Kraken's page writes camelCase, clients decode snake_case: both are read."""
    key = answer(GetApiKeyInfo, spelling)

    assert (key.api_key_name, key.nonce, key.nonce_window) == ("bot", 7, 10000)
    assert key.valid_until == datetime(2026, 2, 26, tzinfo=UTC)


@pytest.mark.parametrize("spelling", [CAMEL, SNAKE], ids=["camelCase", "snake_case"])
@pytest.mark.parametrize("nothing", [None, ""])
def test_what_is_not_said_of_a_key_may_be_null(answer, spelling, nothing):
    """Or empty: it is as if it were not there."""
    key = answer(GetApiKeyInfo, spelling | dict.fromkeys([*spelling][-2:], nothing))
    assert (key.api_key_name, key.valid_until, key.ip_allowlist) == ("bot", None, [])


def test_key_without_bounds(sample):
    """Zero means that a key does not end."""
    key = sample(GetApiKeyInfo)

    assert (key.valid_until, key.query_from, key.query_to, key.last_used) == (None, None, None, None)
    assert key.created_time is not None
    assert key.nonce == 1772064000123
