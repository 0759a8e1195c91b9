"""Sample answers: one per endpoint, whole envelopes with Kraken's own names and precision."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from krakenasync.protocol import wire
from krakenasync.protocol.requests import Request, result_type

SAMPLES = Path(__file__).parent.parent / "samples"


def read_sample(request: type[Request[Any]]) -> bytes:
    name = request.spec.name.replace("/", "")
    if not request.spec.binary:
        return (SAMPLES / f"{name}.json").read_bytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("trades.csv", (SAMPLES / f"{name}.csv").read_text())
    return archive.getvalue()


@pytest.fixture
def sample_bytes() -> Callable[[type[Request[Any]]], bytes]:
    """Read the bytes Kraken would answer with."""
    return read_sample


@pytest.fixture
def sample() -> Callable[[type[Request[Any]]], Any]:
    """Decode the sample of an endpoint into its result."""

    def decode(request: type[Request[Any]]) -> Any:
        return wire.decode(result_type(request), 200, read_sample(request), endpoint=request.spec.name).result

    return decode


@pytest.fixture
def answer() -> Callable[[type[Request[Any]], Any], Any]:
    """Decode a result given as plain data into the endpoint's type."""

    def decode(request: type[Request[Any]], result: Any, status: int = 200) -> Any:
        body = msgspec.json.encode(result if request.spec.beta else {"error": [], "result": result})
        return wire.decode(result_type(request), status, body, endpoint=request.spec.name).result

    return decode
