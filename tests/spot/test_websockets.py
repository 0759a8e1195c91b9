"""The WebSocket token."""

from __future__ import annotations

from rich.pretty import pretty_repr

from krakenasync.spot.websockets import GetWebSocketsToken


def test_token_is_a_secret(sample):
    """The token can be read, and is not shown."""
    token = sample(GetWebSocketsToken)

    assert token.token not in repr(token)
    assert token.token not in f"{[token]}"
    assert (len(token.token), token.expires) == (43, 900)


def test_neither_does_rich_show_it(sample):
    """Rich's pretty printer and its tracebacks have a way of their own to look at things."""
    token = sample(GetWebSocketsToken)
    assert pretty_repr(token) == "WebSocketsToken(expires=900)"
