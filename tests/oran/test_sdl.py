"""The shared data layer: memory and a real Redis behave alike."""

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oran.errors import SdlError
from oran.sdl import MemorySdl, RedisAddress, RedisSdl, Sdl, addresses_from_env


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def wait_for_port(port: int) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), 0.1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"nothing listens on {port}")


@pytest.fixture(params=["memory", "redis"])
async def sdl(request: pytest.FixtureRequest) -> AsyncIterator[Sdl]:
    store: Sdl
    if request.param == "memory":
        store = MemorySdl()
    else:
        store = RedisSdl(RedisAddress("127.0.0.1", request.getfixturevalue("redis_port")))
        for space in ("one", "two"):
            await store.delete(space, await store.keys(space))
    yield store
    await store.close()


async def test_values_come_back_and_name_spaces_are_apart(sdl: Sdl) -> None:
    await sdl.set("one", {"a": b"\x00\xff", "b": b""})
    await sdl.set("two", {"a": b"other"})
    assert await sdl.get("one", ["a", "b", "missing"]) == {"a": b"\x00\xff", "b": b""}
    assert await sdl.get("two", ["a"]) == {"a": b"other"}
    await sdl.delete("one", ["a", "missing"])
    assert await sdl.keys("one") == ["b"]
    assert await sdl.keys("two") == ["a"]
    assert await sdl.get("one", []) == {}
    await sdl.set("one", {})
    await sdl.delete("one", [])


async def test_keys_match_patterns(sdl: Sdl) -> None:
    await sdl.set("one", {"RAN:gnb_1": b"1", "RAN:gnb_2": b"2", "GNB": b"3"})
    assert await sdl.keys("one", "RAN:*") == ["RAN:gnb_1", "RAN:gnb_2"]
    assert await sdl.keys("one", "RAN:gnb_?") == ["RAN:gnb_1", "RAN:gnb_2"]
    assert await sdl.keys("one", "nothing*") == []


async def test_set_if_writes_only_over_what_was_read(sdl: Sdl) -> None:
    assert await sdl.set_if("one", "k", None, b"1")
    assert not await sdl.set_if("one", "k", None, b"2")
    assert not await sdl.set_if("one", "k", b"0", b"2")
    assert await sdl.set_if("one", "k", b"1", b"2")
    assert not await sdl.set_if("one", "absent", b"1", b"2")
    assert await sdl.get("one", ["k", "absent"]) == {"k": b"2"}


async def test_of_many_writers_one_wins(sdl: Sdl) -> None:
    await sdl.set("one", {"k": b"start"})
    won = await asyncio.gather(*(sdl.set_if("one", "k", b"start", str(i).encode()) for i in range(20)))
    assert won.count(True) == 1


@pytest.mark.parametrize("name", ["", "a,b", "{a}"])
async def test_a_name_space_that_breaks_the_layout_is_refused(sdl: Sdl, name: str) -> None:
    with pytest.raises(SdlError, match="name space"):
        await sdl.set(name, {"a": b""})


async def test_the_layout_in_redis_is_that_of_osc(redis_port: int) -> None:
    store = RedisSdl(RedisAddress("127.0.0.1", redis_port))
    await store.set("layout", {"key": b"v"})
    await store.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", redis_port)
    writer.write(b"GET {layout},key\r\n")
    assert await reader.readexactly(7) == b"$1\r\nv\r\n"
    writer.close()
    await writer.wait_closed()


async def test_no_server_is_a_clear_error() -> None:
    store = RedisSdl(RedisAddress("127.0.0.1", free_port()), timeout_s=0.5)
    with pytest.raises(SdlError, match=r"Redis at 127\.0\.0\.1:"):
        await store.get("one", ["a"])
    await store.close()


async def test_a_server_that_never_answers_is_a_clear_error() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    store = RedisSdl(RedisAddress("127.0.0.1", server.sockets[0].getsockname()[1]), timeout_s=0.1)
    with pytest.raises(SdlError):
        await store.get("one", ["a"])
    await store.close()
    server.close()


async def test_the_master_is_found_through_a_sentinel(redis_port: int, tmp_path: Path) -> None:
    program = shutil.which("redis-server")
    assert program is not None
    port, config = free_port(), tmp_path / "sentinel.conf"
    config.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\nsentinel monitor dbaasmaster 127.0.0.1 {redis_port} 1\n"
    )
    sentinel = subprocess.Popen([program, str(config), "--sentinel"], stdout=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        store = RedisSdl.from_env(
            {
                "DBAAS_SERVICE_HOST": "127.0.0.1",
                "DBAAS_SERVICE_SENTINEL_PORT": str(port),
                "DBAAS_MASTER_NAME": "dbaasmaster",
            }
        )
        await store.set("one", {"through": b"sentinel"})
        await store.close()
    finally:
        sentinel.terminate()
        sentinel.wait(10)
    direct = RedisSdl(RedisAddress("127.0.0.1", redis_port))
    assert await direct.get("one", ["through"]) == {"through": b"sentinel"}
    await direct.close()


def test_the_environment_is_read_as_the_platform_writes_it() -> None:
    assert addresses_from_env({}) == ()
    assert addresses_from_env({"DBAAS_SERVICE_HOST": "db", "DBAAS_SERVICE_PORT": "7000"}) == (
        RedisAddress("db", 7000),
    )
    assert addresses_from_env(
        {
            "DBAAS_SERVICE_HOST": "db",
            "DBAAS_CLUSTER_ADDR_LIST": "db0, db1",
            "DBAAS_SERVICE_SENTINEL_PORT": "26379",
            "DBAAS_MASTER_NAME": "m0,m1",
        }
    ) == (RedisAddress("db0", 6379, 26379, "m0"), RedisAddress("db1", 6379, 26379, "m1"))
    with pytest.raises(SdlError, match="DBAAS_SERVICE_HOST"):
        RedisSdl.from_env({})


@pytest.mark.parametrize(
    "environ",
    [
        {"DBAAS_SERVICE_HOST": "db", "DBAAS_SERVICE_PORT": "tcp://10.0.0.1:6379"},
        {"DBAAS_SERVICE_HOST": "db", "DBAAS_SERVICE_SENTINEL_PORT": "1"},
    ],
)
def test_a_wrong_environment_is_refused(environ: dict[str, str]) -> None:
    with pytest.raises(SdlError):
        addresses_from_env(environ)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "DBAAS_SERVICE_HOST",
                "DBAAS_SERVICE_PORT",
                "DBAAS_SERVICE_SENTINEL_PORT",
                "DBAAS_MASTER_NAME",
                "DBAAS_CLUSTER_ADDR_LIST",
            ]
        ),
        st.text(alphabet="a1,. ²", max_size=12),
    )
)
def test_any_environment_gives_addresses_or_an_sdl_error(environ: dict[str, str]) -> None:
    try:
        found = addresses_from_env(environ)
    except SdlError:
        return
    assert all(0 < address.port < 65536 for address in found)
