"""The WebSocket token."""

from __future__ import annotations

from krakenasync.spot.websockets import GetWebSocketsToken


def test_token_is_a_secret(sample):
    """The token can be read, and is not shown."""
    token = sample(GetWebSocketsToken)

    assert token.token not in repr(token)
    assert token.token not in f"{[token]}"
    assert (len(token.token), token.expires) == (43, 900)
