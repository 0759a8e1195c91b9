"""Bytes that a fuzzer makes up, led by coverage, for what reads Kraken's bytes; run by hand, not by pytest.

    pip install atheris
    python tests/fuzz.py reader -max_total_time=300 [directory that keeps what was found]
    python tests/fuzz.py answer -max_total_time=300 [directory that keeps what was found]

`reader` is the HTTP reader: whatever comes is an answer, an error of its own or not yet an answer, the same however it
is cut into reads, and an answer only if h11 reads the same one. `answer` is the decoding of a body into each type of
result: a result that can be compared and shown, or an error of ours. What breaks that stops the run, and so does an
input that takes longer than ten seconds.
"""

import contextlib
import json
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["krakenasync", "h11"]):
    import h11

    from krakenasync.client.codings import Undecodable, decoded
    from krakenasync.client.http1 import BadResponse, Bounds, Reader
    from krakenasync.errors import KrakenError
    from krakenasync.protocol.requests import result_type
    from krakenasync.protocol.wire import decode
    from krakenasync.spot.catalog import ENDPOINTS

BOUNDS = Bounds(head=300, body=1000)
HEADS = [
    b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n\r\n3;why=not\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: t\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.0 204 No Content\r\nConnection: keep-alive\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n",
]
SAMPLES = Path(__file__).with_name("samples")
REQUESTS = [kind for _name, kind in sorted(ENDPOINTS.items())]


def witnessed(data):
    """Read an answer with h11, which shares no code with our parser; None if it refuses it or wants more."""
    witness = h11.Connection(h11.CLIENT)
    witness.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    witness.send(h11.EndOfMessage())
    status, body = None, b""
    with contextlib.suppress(h11.RemoteProtocolError):
        witness.receive_data(data)
        while True:
            event = witness.next_event()
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif not isinstance(event, h11.InformationalResponse):
                return (status, body) if isinstance(event, h11.EndOfMessage) else None
    return None


def fed(parts):
    """Read the parts one by one; return the answer, None if there is none yet, or False for a refusal."""
    reader = Reader(BOUNDS)
    try:
        for part in parts:
            response = reader.feed(memoryview(part))
            if response is not None:
                with contextlib.suppress(Undecodable):
                    decoded(response, 2000)
                return response
        with contextlib.suppress(BadResponse):
            reader.eof()
    except BadResponse:
        return False
    return None


def read(data):
    """One made-up talk of a peer's: its first byte says where it is cut."""
    step, talk = data[0] % 64 + 1 if data else 1, data[1:]
    whole = fed([talk])
    cut = fed([talk[at : at + step] for at in range(0, len(talk), step)])
    if whole and cut:
        # What follows an answer is seen only if it comes with it.
        assert (whole.status, whole.headers, whole.body) == (cut.status, cut.headers, cut.body)
        witness = witnessed(talk)
        # The parser takes empty lines between an interim answer and the next one; no byte of the body depends on it.
        assert witness == (whole.status, whole.body) or (witness is None and talk[8:10] == b" 1"), (whole, witness)
    elif len(talk) <= BOUNDS.head:  # the bound on what leads nowhere depends on how it comes
        assert whole == cut, (whole, cut)


def answer(data):
    """One made-up body: its first byte says what was asked."""
    request, body = REQUESTS[data[0] % len(REQUESTS) if data else 0], data[1:]
    with contextlib.suppress(KrakenError):
        found = decode(result_type(request), 200, body, endpoint=request.spec.name)
        assert found.raw == body
        assert found == decode(result_type(request), 200, body, endpoint=request.spec.name)
        assert repr(found)


def seeds(name):
    """What the fuzzer starts from."""
    if name == "reader":
        return [bytes([step]) + head for head in HEADS for step in (0, 1, 7)]
    kept = []
    for place, request in enumerate(REQUESTS):
        path = SAMPLES / f"{request.spec.name.replace('/', '')}.json"
        if path.exists():
            kept.append(bytes([place]) + json.dumps(json.loads(path.read_bytes()), separators=(",", ":")).encode())
    return kept


def main():
    """Start from the seeds, in the directory that is given or else in memory."""
    name, *options = sys.argv[1:]
    target = {"reader": read, "answer": answer}[name]
    for seed in seeds(name):
        target(seed)
    for directory in (Path(option) for option in options if not option.startswith("-")):
        directory.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds(name)):
            (directory / f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], "-timeout=10", *options], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
