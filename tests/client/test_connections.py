"""One connection, step by step, over a pipe that is no socket."""

import asyncio
import math

import pytest

from krakenasync.client.connections import Connection
from krakenasync.client.exchanges import Broken, ConnectFailed, Outgoing, ReadTimeout, Timeouts, WriteTimeout, earliest
from krakenasync.client.http1 import BadResponse, Bounds

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"


class Pipe(asyncio.Transport):
    """Keeps what is written; `stuck` holds it back as a peer does that does not read."""

    def __init__(self):
        super().__init__()
        self.written = b""
        self.stuck = self.ended = False

    def write(self, data):
        self.written += data
        if self.stuck:
            self.connection.pause_writing()

    def set_write_buffer_limits(self, high=None, low=None):
        self.limits = (high, low)

    def is_closing(self):
        return self.ended

    def abort(self):
        self.ended = True


class Shelf:
    """Notes what a connection tells its keeper."""

    def __init__(self):
        self.told = []
        self.watched = []

    def unusable(self, connection):
        self.told.append("unusable")

    def closed(self, connection):
        self.told.append("closed")

    def watch(self, deadline):
        self.watched.append(deadline)


class Bench:
    """A connection with a pipe, a keeper, and a request under way if asked for."""

    def __init__(self, timeouts=Timeouts(), until=math.inf, *, stuck=False):  # noqa: B008 - a tuple
        self.keeper, self.pipe, self.request = Shelf(), Pipe(), Outgoing(REQUEST)
        self.pipe.stuck = stuck
        self.connection = self.pipe.connection = Connection(self.keeper, Bounds(), asyncio.get_running_loop())
        self.connection.connection_made(self.pipe)
        self.timeouts, self.until = timeouts, until

    async def ask(self):
        return await self.connection.begin(self.request, self.timeouts, self.until)

    async def asked(self):
        task = asyncio.ensure_future(self.ask())
        await asyncio.sleep(0)
        return task

    def comes(self, data):
        self.connection.get_buffer(-1)[: len(data)] = data
        self.connection.buffer_updated(len(data))


def test_an_exchange():
    """The request is written, its answer handed over, and the connection is ready for the next one."""

    async def main():
        bench = Bench()
        for number in (1, 2):
            task = await bench.asked()
            assert bench.pipe.written == REQUEST * number
            assert not bench.connection.ready
            bench.comes(ANSWER)
            assert (await task).body == b"hello"
            assert bench.connection._answer is None  # nor is a long body kept while the connection rests
            assert bench.connection.ready
        assert bench.request.left
        assert bench.keeper.told == []

    asyncio.run(main())


def test_on_a_closed_connection_nothing_is_written():
    """The request did not leave when the connection was gone before, and the error says so."""

    async def main():
        for end in ("eof_received", "abort"):
            bench = Bench()
            getattr(bench.connection, end)()
            with pytest.raises(ConnectFailed):
                await bench.ask()
            assert not bench.request.left
            assert bench.pipe.written == b""

    asyncio.run(main())


def test_a_cancelled_exchange_leaves_no_connection_to_use():
    """An answer may still come, and must not meet the next request."""

    async def main():
        bench = Bench()
        task = await bench.asked()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert bench.request.left
        assert not bench.connection.ready
        bench.comes(ANSWER)
        assert bench.pipe.ended
        assert not bench.connection.ready

    asyncio.run(main())


@pytest.mark.parametrize("extra", [b"x", ANSWER])
def test_bytes_nobody_asked_for(extra):
    """Bytes at rest, or between an answer and its being noticed, end the connection but not the answer."""

    async def main():
        bench = Bench()
        bench.comes(extra)
        assert bench.keeper.told == ["unusable"]
        assert bench.pipe.ended
        bench = Bench()
        task = await bench.asked()
        bench.comes(ANSWER)
        bench.comes(extra)
        assert (await task).body == b"hello"
        assert bench.pipe.ended
        assert not bench.connection.ready

    asyncio.run(main())


def test_how_a_connection_ends_under_a_request():
    """The end, a reset, nonsense: each an error of its own."""

    async def main():
        for event, expected in (
            (lambda bench: bench.connection.eof_received(), BadResponse),
            (lambda bench: bench.connection.connection_lost(None), BadResponse),
            (lambda bench: bench.connection.connection_lost(ConnectionResetError("reset")), Broken),
            (lambda bench: bench.comes(b"nonsense"), BadResponse),
        ):
            bench = Bench()
            task = await bench.asked()
            event(bench)
            with pytest.raises(expected):
                await task
            assert not bench.connection.ready

    asyncio.run(main())


def test_what_broke_the_connection_keeps_its_words_but_not_its_frames():
    """Where the system refused a write, the frame of asyncio's that wrote holds the whole request."""

    async def main():
        bench = Bench()
        task = await bench.asked()
        try:
            raise ConnectionResetError(104, "Connection reset by peer")  # noqa: TRY301 - as asyncio's own write does
        except ConnectionResetError as error:
            bench.connection.connection_lost(error)
        with pytest.raises(Broken, match="reset by peer") as caught:
            await task
        cause = caught.value.__cause__
        assert (type(cause), cause.errno, cause.__traceback__) == (ConnectionResetError, 104, None)

    asyncio.run(main())


def test_an_answer_that_the_end_of_the_connection_ends():
    """Without a length the end is the end of the body."""

    async def main():
        bench = Bench()
        task = await bench.asked()
        bench.comes(b"HTTP/1.1 200 OK\r\n\r\nhel")
        bench.comes(b"lo")
        bench.connection.eof_received()
        response = await task
        assert response.body == b"hello"
        assert not bench.connection.ready

    asyncio.run(main())


def test_the_stage_that_is_late_is_named():
    """While the peer does not read it is the writing that is late, afterwards the answer."""

    async def main():
        for stuck, expected in ((True, WriteTimeout), (False, ReadTimeout)):
            bench = Bench(Timeouts(write=1.0, read=2.0), stuck=stuck)
            began = asyncio.get_running_loop().time()
            task = await bench.asked()
            assert bench.connection.deadline == pytest.approx(began + (1.0 if stuck else 2.0), abs=0.5)
            bench.connection.expire()
            with pytest.raises(expected):
                await task
            assert bench.pipe.ended
            assert bench.connection.deadline == math.inf

    asyncio.run(main())


def test_the_time_to_answer_begins_when_all_is_written():
    """And anew with each read, but never beyond the end of all."""

    async def main():
        loop = asyncio.get_running_loop()
        bench = Bench(Timeouts(write=1.0, read=5.0), until=loop.time() + 100.0, stuck=True)
        task = await bench.asked()
        bench.comes(ANSWER[:10])  # an early answer: the writing is still the matter
        assert bench.connection.deadline < loop.time() + 2.0
        bench.connection.resume_writing()
        assert bench.connection.deadline == pytest.approx(loop.time() + 5.0, abs=0.5)
        bench.connection.deadline = 0.0
        bench.comes(ANSWER[10:20])
        assert bench.connection.deadline == pytest.approx(loop.time() + 5.0, abs=0.5)
        bench.comes(ANSWER[20:])
        assert (await task).status == 200

    asyncio.run(main())


def test_an_answer_to_half_a_request_ends_the_connection():
    """The rest of the request would be taken for the next one."""

    async def main():
        bench = Bench(stuck=True)
        task = await bench.asked()
        bench.comes(ANSWER)
        assert (await task).status == 200
        assert not bench.connection.ready
        bench.connection.resume_writing()  # the peer reads on; nothing is awaited any more
        assert bench.connection.deadline == math.inf
        assert bench.keeper.watched == []

    asyncio.run(main())


def test_the_earliest_end():
    """A stage without a limit still ends with the whole."""
    assert earliest(5.0, None, 7.0) == 7.0
    assert earliest(5.0, 1.0, 7.0) == 6.0
    assert earliest(5.0, 9.0, 7.0) == 7.0


def test_a_write_that_raises_may_have_written():
    """So `left` is set before."""

    async def main():
        bench = Bench()

        def write(_data):
            raise RuntimeError

        bench.pipe.write = write
        with pytest.raises(RuntimeError):
            bench.connection.begin(bench.request, Timeouts(), math.inf)
        assert bench.request.left

    asyncio.run(main())


def test_every_unsent_byte_counts_as_unsent():
    """One that waits is enough for a pause."""

    async def main():
        assert Bench().pipe.limits == (1, 0)

    asyncio.run(main())


def test_the_time_to_answer_is_watched_from_when_all_is_written():
    """It may end sooner than the time to write would have."""

    async def main():
        bench = Bench(Timeouts(write=60, read=1), stuck=True)
        task = await bench.asked()
        bench.connection.resume_writing()
        assert bench.keeper.watched == [bench.connection.deadline]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def test_the_answer_before_is_not_the_answer_to_a_request_that_got_none():
    """The parser still holds a 204 when the peer ends the connection instead of answering again."""

    async def main():
        bench = Bench()
        task = await bench.asked()
        bench.comes(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert (await task).status == 204
        task = await bench.asked()
        bench.connection.eof_received()
        with pytest.raises(BadResponse):
            await task

    asyncio.run(main())


def test_an_answer_in_the_midst_of_another_is_part_of_it():
    """A body may hold anything, also what looks like a whole answer; it is never taken for the one to the request."""

    async def main():
        bench = Bench()
        task = await bench.asked()
        bench.comes(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(ANSWER))
        bench.comes(ANSWER)
        return (await task).body

    assert asyncio.run(main()) == ANSWER


def test_an_answer_that_lies_unread_at_the_deadline_is_waited_for_once():
    """After the process was suspended; not while the request is still being written, and not if nothing has come."""

    async def main():
        for came, stuck, spared in (([(7, 1)], False, True), ([], False, False), ([(7, 1)], True, False)):
            bench, looks = Bench(stuck=stuck), []

            def poll(wait, came=came, looks=looks):
                looks.append(wait)
                return came

            bench.connection._poll = poll
            for _ in range(2):  # each exchange anew
                task = await bench.asked()
                assert bench.connection.spared(5.0) == spared
                assert (bench.connection.deadline == 5.0) == spared
                assert not bench.connection.spared(9.0)
                assert set(looks) <= {0}  # without waiting
                bench.comes(ANSWER)
                await task
                if stuck:
                    break

    asyncio.run(main())


def test_what_must_not_be_lent_again_is_stale():
    """The peer has ended it, or its transport is closing and has not said so yet: nothing is written into the void."""

    async def main():
        bench = Bench()
        assert not bench.connection.stale()
        bench.pipe.ended = True
        assert bench.connection.ready
        assert bench.connection.stale()
        for end in ("eof_received", "abort"):
            bench = Bench()
            getattr(bench.connection, end)()
            bench.pipe.ended = False
            assert bench.connection.stale()

    asyncio.run(main())


def test_the_end_of_a_connection_whose_exchange_was_cancelled_is_no_error():
    """Half an answer without a length would be whole by then, but nobody waits for it."""

    async def main():
        bench = Bench(Timeouts(read=1.0))
        task = await bench.asked()
        bench.comes(b"HTTP/1.1 200 OK\r\n\r\nhel")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        bench.connection.resume_writing()
        assert bench.keeper.watched == []
        bench.connection.eof_received()
        bench.connection.connection_lost(None)
        assert not bench.connection.ready
        assert bench.keeper.told == ["closed"]

    asyncio.run(main())
