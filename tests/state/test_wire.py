"""One connection for many callers: who gets which answer, and what becomes of them when it fails."""

import asyncio
from contextlib import asynccontextmanager

import hiredis
import pytest
from redis.exceptions import ReadOnlyError, ResponseError

from krakenasync.errors import ConfigurationError
from krakenasync.state import wire as module
from krakenasync.state.wire import Wire, packed, place_of, pool_of


class Scripted:
    """A server that answers as it is told: by the command's first word, "OK" to all else, None to nothing at all."""

    def __init__(self, **answers):
        self.answers = answers
        self.connections = 0

    async def serve(self, reader, writer):
        self.connections += 1
        commands = hiredis.Reader()
        while data := await reader.read(4096):
            commands.feed(data)
            while (command := commands.gets()) is not False:
                answer = self.answers.get(command[0].decode(), b"+OK\r\n")
                if answer == b"":
                    return writer.close()
                if answer is not None:
                    writer.write(answer)
        return writer.close()


@asynccontextmanager
async def wired(**answers):
    """A wire to such a server."""
    scripted = Scripted(**answers)
    async with await asyncio.start_server(scripted.serve, "127.0.0.1", 0) as server:
        wire = Wire(pool_of(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0?protocol=2"))
        try:
            yield wire, scripted
        finally:
            await wire.aclose()


def test_a_command_is_spelt_for_the_wire():
    """Lengths are those of bytes; a beginning counts the words that follow."""
    assert packed("ECHO", "é", b"\x00") == b"*3\r\n$4\r\nECHO\r\n$2\r\n\xc3\xa9\r\n$1\r\n\x00\r\n"
    assert packed("ECHO", more=1) == b"*2\r\n$4\r\nECHO\r\n"


def test_many_callers_share_one_connection(redis_url):
    """Each gets the answer to his own question, whoever asks beside him; a refusal is his alone."""

    async def main():
        wire = Wire(pool_of(redis_url))
        commands = [packed("ECHO", str(number)) for number in range(50)]
        commands[20] = packed("NONSENSE")
        found = await asyncio.gather(*map(wire.ask, commands), return_exceptions=True)
        assert isinstance(found.pop(20), ResponseError)
        assert found == [str(number).encode() for number in range(50) if number != 20]
        await wire.aclose()

    asyncio.run(main())


def test_a_lost_connection_fails_all_who_wait_and_the_next_opens_another():
    """Nobody waits for an answer that will not come."""

    async def main():
        async with wired(WAIT=None, BYE=b"") as (wire, scripted):
            waiting = asyncio.ensure_future(wire.ask(packed("WAIT")))
            await asyncio.sleep(0)
            with pytest.raises(ConnectionError):
                await wire.ask(packed("BYE"))
            with pytest.raises(ConnectionError):
                await waiting
            assert await wire.ask(packed("PING")) == b"OK"
            assert scripted.connections == 2

    asyncio.run(main())


def test_whoever_asks_behind_a_silent_answer_fails_with_it(monkeypatch):
    """Answers come in order: if one does not come in time, none behind it will; an answered one stops no clock."""
    monkeypatch.setattr(module, "PATIENCE", 0.05)

    async def main():
        async with wired(WAIT=None) as (wire, _scripted):
            assert await wire.ask(packed("PING")) == b"OK"
            await asyncio.sleep(0.03)
            first = asyncio.ensure_future(wire.ask(packed("WAIT")))
            await asyncio.sleep(0.03)
            assert not first.done()
            second = asyncio.ensure_future(wire.ask(packed("WAIT")))
            with pytest.raises(TimeoutError):
                await first
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(second, 0.02)
            assert str(second.exception()) == "no answer in time"
            assert await wire.ask(packed("PING")) == b"OK"

    asyncio.run(main())


def test_the_answer_to_a_cancelled_caller_is_not_lost():
    """Somebody is told it: cancelled while the question is on its way, or in the moment the answer is there."""
    orphans = []

    async def main():
        async with wired(ONE=None, TWO=b"+one\r\n+two\r\n", EARLY=b"+early\r\n") as (wire, _scripted):
            await wire.ask(packed("PING"))
            early = asyncio.ensure_future(wire.ask(packed("EARLY"), orphans.append))
            await asyncio.sleep(0)
            early.cancel()
            assert await wire.ask(packed("PING")) == b"OK"

            async def cancel_the_other():
                assert await wire.ask(packed("ONE"), orphans.append) == b"one"
                late.cancel()

            first = asyncio.ensure_future(cancel_the_other())
            late = asyncio.ensure_future(wire.ask(packed("TWO"), orphans.append))
            with pytest.raises(asyncio.CancelledError):
                await late
            await first

    asyncio.run(main())
    assert orphans == [b"early", b"two"]


def test_a_server_that_became_a_replica_is_left():
    """The caller learns it, and the next connection may lead to its successor."""

    async def main():
        async with wired(EVALSHA=b"-READONLY You can't write against a read only replica.\r\n") as (wire, scripted):
            with pytest.raises(ReadOnlyError):
                await wire.ask(packed("EVALSHA"))
            await wire.ask(packed("PING"))
            assert scripted.connections == 2

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(hiredis, "PushNotification"), reason="this hiredis cannot tell news from answers")
def test_news_from_the_server_is_nobodys_answer():
    """A push message before an answer does not take its place."""

    async def main():
        async with wired(GET=b">2\r\n+invalidate\r\n+key\r\n$2\r\nhi\r\n") as (wire, _scripted):
            assert await wire.ask(packed("GET")) == b"hi"

    asyncio.run(main())


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+OK\r\n+OK\r\n"])
def test_what_no_server_of_the_kind_says_ends_the_connection(answer):
    """Neither is taken for somebody's answer later."""

    async def main():
        async with wired(GET=answer) as (wire, scripted):
            await asyncio.gather(wire.ask(packed("GET")), return_exceptions=True)
            assert await wire.ask(packed("PING")) == b"OK"
            assert scripted.connections == 2

    asyncio.run(main())


def test_a_redis_py_that_hides_its_connections_is_refused():
    """The error says what to install; nothing is sent."""

    class Hidden:
        """A connection without what we need of it."""

    async def main():
        with pytest.raises(ConfigurationError, match="redis-py"):
            module._Line(Hidden())

    asyncio.run(main())


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://user:secret@10.0.0.1:7000/2", "10.0.0.1:7000"),
        ("redis://", "localhost:6379"),
        ("unix://user:secret@/run/redis.sock?db=1", "/run/redis.sock"),
    ],
)
def test_a_server_is_named_without_its_password(url, place):
    """Host and port, or the path of its socket."""
    assert place_of(pool_of(url)) == place
