"""The store on a Redis server: what a server can do to it, and that the script counts like `records`."""

import asyncio
import socket
import time
import uuid

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from krakenasync.errors import ConfigurationError, StateUnavailable
from krakenasync.state.inprocess import InProcessStore
from krakenasync.state.port import Book, Enter, Limit
from krakenasync.state.redis import SCRIPT, RedisStore
from krakenasync.testing import VirtualClock
from krakenasync.testing.questions import adjust, book, enter, give_back, leave, peek, send

LIMIT = Limit(4.0, 2.0)
BEGIN = 1_780_000_000_000_000


class Clocked:
    """A server whose clock the test sets, and the clients' own clock beside it."""

    def __init__(self, url):
        self.url = url
        self.direct = Redis.from_url(url)
        self.name = f"clock {uuid.uuid4()}"
        self.clock = VirtualClock()
        self.offset = 0.0
        self.script = SCRIPT.replace("redis.call('TIME')", f"{{0, redis.call('GET', '{self.name}')}}")
        assert self.script != SCRIPT
        self.advance(0)

    def advance(self, seconds):
        """Let time pass for all."""
        self.clock.advance(seconds)
        self.direct.set(self.name, BEGIN + round((self.clock.monotonic() + self.offset) * 1e6))

    def step(self, seconds):
        """Set the server's clock, and no other."""
        self.offset += seconds
        self.advance(0)

    def forget(self):
        """Lose everything but the test's clock."""
        self.direct.flushall()
        self.advance(0)

    def client(self):
        return RedisStore(self.url, self.clock, script=self.script)


@pytest.fixture
def server(own_redis):
    """A server of the test's own, whose clock it sets."""
    clocked = Clocked(own_redis().url)
    yield clocked
    clocked.direct.close()


async def burst(store, limit=LIMIT):
    """How many points are due at once."""
    count = 0
    while (await book(store, "counter", limit, 1.0, longest=0.0)).made:
        count += 1
    return count


def test_a_clock_that_steps_back_gives_nothing_away(server):
    """Ten seconds back: nothing is credited twice, and slots go on at the usual pace instead of stopping."""

    async def main():
        store = server.client()
        assert await burst(store) == 4
        await adjust(store, "counter", LIMIT, block=1.0)
        server.step(-10)
        assert (await peek(store, "counter", LIMIT)).level == pytest.approx(4.0)
        assert (await peek(store, "counter", LIMIT)).blocked_for == pytest.approx(1.0)
        assert await burst(store) == 0
        server.advance(1.0)
        assert await burst(store) == 2
        await store.aclose()

    asyncio.run(main())


def test_a_clock_that_steps_forward_gives_no_second_burst(server):
    """Thirty seconds forward: whoever remembers the counter has it put right, and blocks stay."""

    async def main():
        store, other = server.client(), server.client()
        assert await burst(store) == 4
        await adjust(store, "counter", LIMIT, block=5.0)
        server.step(30)
        assert (await peek(store, "counter", LIMIT)).level == pytest.approx(4.0)
        assert await burst(store) == 0
        assert await burst(other) == 0
        server.advance(5.0)
        assert await burst(other) == 4
        await store.aclose()
        await other.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("lost", ["all", "the last writes"])
def test_a_server_that_forgot_gives_no_second_burst(server, lost):
    """FLUSHALL, or a replica without the last writes: the counter counts as full, nonces go on rising."""

    async def later():
        await anyio.sleep(0.03)
        server.advance(2.0)

    async def main():
        store = server.client()
        await book(store, "counter", LIMIT, 1.0)
        keys = {key: server.direct.dump(key) for key in server.direct.keys("krakenasync:*")}
        await burst(store)
        await adjust(store, "counter", LIMIT, block=1.0)
        nonce = await enter(store, "key", "me", lease=5.0, unit="ms")
        await leave(store, "key", "me")
        server.forget()
        if lost == "the last writes":
            for key, value in keys.items():
                server.direct.restore(key, 0, value)
        assert await burst(store) == 0
        server.advance(1.0)
        assert await burst(store) == 2
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(later)
            assert await enter(store, "key", "me", lease=5.0, unit="ms", floor=nonce + 9000) > nonce + 9000
        await store.aclose()

    asyncio.run(main())


def test_a_lost_lane_rests_for_a_while(server):
    """Somebody may be under way in a lane that the server has forgotten: nobody follows at once."""

    async def main():
        store, other = server.client(), server.client()
        await enter(store, "key", "first", lease=5.0, unit="ms")
        with anyio.move_on_after(0.03):
            await enter(other, "key", "second", lease=5.0, unit="ms")
        server.forget()
        with anyio.move_on_after(0.1) as early:
            await enter(other, "key", "second", lease=5.0, unit="ms")
        assert early.cancelled_caught
        server.advance(2.0)
        with anyio.fail_after(1.0):
            await enter(other, "key", "second", lease=5.0, unit="ms")
        await store.aclose()
        await other.aclose()

    asyncio.run(main())


def test_a_restarted_server_is_found_again(own_redis):
    """A killed server is StateUnavailable; once it is back, calls go on, the script is taught again, nothing bursts."""
    server = own_redis()

    async def main():
        store = RedisStore(server.url)
        await store.start()
        slow = Limit(4.0, 0.001)
        assert await burst(store, slow) == 4
        server.kill()
        with pytest.raises(StateUnavailable) as failure:
            await book(store, "counter", slow, 1.0)
        assert failure.value.effect == "none"
        assert failure.value.retryable
        server.start()
        assert await burst(store, slow) == 0
        await store.aclose()

    asyncio.run(main())


def test_a_silent_server_is_unavailable_in_good_time(monkeypatch):
    """A server that takes the connection and never answers is asked once, not five times."""
    monkeypatch.setattr("krakenasync.state.wire.PATIENCE", 0.05)

    async def main():
        with socket.create_server(("127.0.0.1", 0)) as silent:
            store = RedisStore(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
            with pytest.raises(StateUnavailable), anyio.fail_after(0.3):
                await book(store, "counter", LIMIT, 1.0)
            await store.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("command", ["EVALSHA", "EVAL"])
def test_a_server_without_scripting_is_refused_at_the_start(own_redis, command):
    """The first look says that scripting is missing, not the hundredth call."""

    async def main():
        store = RedisStore(own_redis("--rename-command", command, "").url)
        with pytest.raises(ConfigurationError, match="no scripting"):
            await store.start()
        await store.aclose()

    asyncio.run(main())


def test_a_foreign_schema_is_refused_at_the_start(own_redis):
    """State of another version is not misread."""
    server = own_redis()
    with Redis.from_url(server.url) as direct:
        direct.set("krakenasync:schema", 99)

    async def main():
        store = RedisStore(server.url)
        with pytest.raises(ConfigurationError, match="schema 99"):
            await store.start()
        await store.aclose()

    asyncio.run(main())


def test_a_wrong_password_is_refused_at_the_start(own_redis):
    """The error says so and does not hold the password."""
    server = own_redis("--requirepass", "right")

    async def main():
        for url in (server.url, server.url.replace("//", "//:wrong-password@")):
            store = RedisStore(url)
            with pytest.raises(ConfigurationError) as failure:
                await store.start()
            assert "wrong-password" not in f"{failure.value} {store!r}"
            await store.aclose()

    asyncio.run(main())


def test_trio_is_told_to_use_another_store():
    """redis-py works on asyncio only: the error says so and what to do."""
    with pytest.raises(ConfigurationError, match="asyncio only"):
        anyio.run(RedisStore("redis://127.0.0.1:1/0").start, backend="trio")


def test_keys_tell_nothing_and_share_a_slot(redis_url):
    """Neither names nor URLs are in the database, and all keys of a record have one hash tag."""
    name = f"rest https://api.kraken.com {uuid.uuid4()}"

    async def main():
        store = RedisStore(redis_url)
        await book(store, name, LIMIT, 1.0)
        await enter(store, name, "first", lease=1.0, unit="ms")
        with anyio.move_on_after(0.05):
            await enter(store, name, "second", lease=1.0, unit="ms")
        await store.aclose()

    asyncio.run(main())
    with Redis.from_url(redis_url) as direct:
        keys = [key.decode() for key in direct.keys("*")]
    assert not [key for key in keys if "kraken.com" in key]
    assert all("{" in key for key in keys if key != "krakenasync:schema" and key.startswith("krakenasync"))


def test_of_a_caller_that_is_cancelled_nothing_remains(redis_url):
    """His question is on its way: the slot comes back, and the lane is left."""
    name = f"cancelled {uuid.uuid4()}"
    slow = Limit(4.0, 0.001)

    async def main():
        store = RedisStore(redis_url)
        await store.start()
        question = store.ask(Book(name, slow, 4.0), Enter(name, "me", 5.0, "ms", if_due=True))
        asking = asyncio.create_task(question)
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        for _ in range(200):
            await anyio.sleep(0.005)
            if (await peek(store, name, slow)).level < 0.1:
                break
        else:
            pytest.fail("the slot did not come back")
        with anyio.fail_after(1.0):
            await enter(store, name, "you", lease=5.0, unit="ms")
        await store.aclose()

    asyncio.run(main())


def test_one_of_several_servers_of_a_cluster_is_refused_at_the_start(own_redis, tmp_path):
    """Some records would be on the other: the error says so before anything is sent."""
    servers = []
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        servers.append(own_redis("--cluster-enabled", "yes", "--dir", str(tmp_path / str(number))))
    one, other = (Redis.from_url(server.url) for server in servers)
    one.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "8191")
    other.execute_command("CLUSTER", "ADDSLOTSRANGE", "8192", "16383")
    other.execute_command("CLUSTER", "SET-CONFIG-EPOCH", "2")
    one.execute_command("CLUSTER", "MEET", "127.0.0.1", str(servers[1].port))
    for _ in range(1000):
        if all(b"cluster_state:ok" in each.execute_command("CLUSTER", "INFO") for each in (one, other)):
            break
        time.sleep(0.01)
    one.close()
    other.close()

    async def main():
        for server in servers:
            store = RedisStore(server.url)
            with pytest.raises(ConfigurationError, match="one of a cluster"):
                await store.start()
            await store.aclose()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("database", "words"), [("/99", "does not have that database"), ("/0?protocol=9", "cannot be read")]
)
def test_a_database_or_an_option_that_cannot_be_is_refused_at_the_start(redis_url, database, words):
    """It will not be there later either: no StateUnavailable, for which a client may wait."""

    async def main():
        with pytest.raises(ConfigurationError, match=words):
            await RedisStore(redis_url.rpartition("/")[0] + database).start()

    asyncio.run(main())


def test_tls_where_there_is_none_says_so(own_redis, monkeypatch):
    """The error names the server and says what to look at."""
    monkeypatch.setattr("krakenasync.state.wire.PATIENCE", 0.1)
    server = own_redis()

    async def main():
        store = RedisStore(server.url.replace("redis:", "rediss:"))
        with pytest.raises(StateUnavailable, match=rf"127\.0\.0\.1:{server.port} does not answer") as failure:
            await store.start()
        assert "rediss:// is for a port with TLS" in failure.value.hint
        await store.aclose()

    asyncio.run(main())


def test_what_is_no_redis_server_is_refused_at_the_start():
    """A web server, say."""

    async def serve(reader, writer):
        await reader.read(1000)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    async def main():
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as web:
            store = RedisStore(f"redis://127.0.0.1:{web.sockets[0].getsockname()[1]}/0")
            with pytest.raises(ConfigurationError, match="not a Redis server"):
                await store.start()
            await store.aclose()

    asyncio.run(main())


def test_a_script_that_was_flushed_is_taught_again(own_redis):
    """Between two questions, or under many at once: nobody learns of it."""
    server = own_redis()

    async def main():
        store, slow = RedisStore(server.url), Limit(40.0, 0.001)
        await store.start()
        with Redis.from_url(server.url) as direct:
            direct.script_flush()
            assert (await book(store, "counter", slow, 1.0)).level == pytest.approx(1.0, abs=0.01)
            direct.script_flush()
            await asyncio.gather(*(book(store, "counter", slow, 1.0) for _ in range(20)))
            assert (await peek(store, "counter", slow)).level == pytest.approx(21.0, abs=0.01)
            assert direct.info("commandstats")["cmdstat_eval"]["calls"] >= 2
        await store.aclose()

    asyncio.run(main())


def test_on_a_cluster_two_owners_are_asked_one_after_the_other(own_redis, tmp_path):
    """What belongs to one key is in one place; a step that depends on another place still does."""
    server = own_redis("--cluster-enabled", "yes", "--dir", str(tmp_path))
    with Redis.from_url(server.url) as direct:
        direct.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        for _ in range(500):
            if b"cluster_state:ok" in direct.execute_command("CLUSTER", "INFO"):
                break
            time.sleep(0.01)

    async def main():
        store = RedisStore(server.url)
        await store.start()
        booking, entry = await store.ask(Book("engine a", LIMIT, 4.0), Enter("lane b", "me", 5.0, "ms", if_due=True))
        assert (booking.wait, entry.nonce > 0) == (0.0, True)
        booking, entry = await store.ask(Book("engine a", LIMIT, 4.0), Enter("lane c", "me", 5.0, "ms", if_due=True))
        assert booking.wait > 0
        assert entry == (0, -1.0)
        await store.aclose()

    asyncio.run(main())


QUESTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("book"), st.integers(1, 4), st.sampled_from([0.5, 1e9])),
        st.tuples(st.just("send")),
        st.tuples(st.just("give_back")),
        st.tuples(st.just("adjust"), st.integers(-2, 3), st.integers(0, 5), st.sampled_from([0.0, 0.7]), st.booleans()),
        st.tuples(st.just("wait"), st.sampled_from([0.001, 0.5, 3.0])),
    ),
    max_size=25,
)


@given(questions=QUESTIONS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_script_counts_like_the_records(redis_url, questions):
    """Whatever is asked, server and process come to the same level, wait and block."""
    server = Clocked(redis_url)
    name = f"twin {uuid.uuid4()}"

    async def main():
        stores, bookings, found = (server.client(), InProcessStore(server.clock)), ([], []), ([], [])
        for question, *how in questions:
            if question == "wait":
                server.advance(*how)
                continue
            for store, mine, answers in zip(stores, bookings, found, strict=True):
                if question == "book":
                    mine.append(await book(store, name, LIMIT, float(how[0]), longest=how[1]))
                    answers.append((mine[-1].made, mine[-1].wait, mine[-1].level))
                elif question == "adjust":
                    correction = dict(zip(("delta", "floor", "block", "overdraws"), how, strict=True))
                    answers.append(await adjust(store, name, LIMIT, **correction))
                elif question == "send" and mine:
                    answers.append((await send(store, mine[-1]),))
                elif question == "give_back" and mine:
                    await give_back(store, mine.pop())
                answers.append(await peek(store, name, LIMIT))
        for script, record in zip(*found, strict=True):
            assert script == pytest.approx(record, abs=1e-5)
        await stores[0].aclose()

    asyncio.run(main())
    server.direct.close()
