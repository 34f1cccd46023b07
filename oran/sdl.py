"""The shared data layer (SDL): keys and values in name spaces, in memory or in the RIC's Redis.

The layout in Redis is that of the OSC platform, so that its tools and other xApps read what we write: the key is
`{namespace},key` (the braces keep a name space on one shard) and values are octets.
"""

import asyncio
import fnmatch
import os
import zlib
from collections.abc import Awaitable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from oran.errors import SdlError

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")

DEFAULT_PORT = 6379

_SET_IF = """
local now = redis.call('GET', KEYS[1])
if now == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) return 1 end
return 0
"""


class Sdl(Protocol):
    """Keys and values in name spaces. Every operation raises SdlError when the store fails."""

    async def set(self, namespace: str, values: Mapping[str, bytes]) -> None:
        """Write all values at once."""
        ...

    async def get(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        """Read values; keys that are not there are left out."""
        ...

    async def delete(self, namespace: str, keys: Collection[str]) -> None:
        """Remove keys; those that are not there are passed over."""
        ...

    async def keys(self, namespace: str, pattern: str = "*") -> list[str]:
        """The keys of a name space that match a glob pattern (`*`, `?`, `[...]`), sorted."""
        ...

    async def set_if(self, namespace: str, key: str, old: bytes | None, new: bytes) -> bool:
        """Write only if the value is still `old` (None: if there is none), atomically; tell whether it was."""
        ...

    async def close(self) -> None:
        """Give the connections back."""
        ...


def _check_namespace(namespace: str) -> None:
    if not namespace or any(sign in namespace for sign in "{},"):
        raise SdlError(f"name space {namespace!r}: give a word without braces and commas")


class MemorySdl:
    """An SDL inside the process, for tests and machines without Redis."""

    def __init__(self) -> None:
        self._spaces: dict[str, dict[str, bytes]] = {}

    async def set(self, namespace: str, values: Mapping[str, bytes]) -> None:
        """Write all values at once."""
        _check_namespace(namespace)
        self._spaces.setdefault(namespace, {}).update({key: bytes(value) for key, value in values.items()})

    async def get(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        """Read values; keys that are not there are left out."""
        _check_namespace(namespace)
        space = self._spaces.get(namespace, {})
        return {key: space[key] for key in keys if key in space}

    async def delete(self, namespace: str, keys: Collection[str]) -> None:
        """Remove keys; those that are not there are passed over."""
        _check_namespace(namespace)
        space = self._spaces.get(namespace, {})
        for key in keys:
            space.pop(key, None)

    async def keys(self, namespace: str, pattern: str = "*") -> list[str]:
        """The keys of a name space that match a glob pattern, sorted."""
        _check_namespace(namespace)
        return sorted(key for key in self._spaces.get(namespace, {}) if fnmatch.fnmatchcase(key, pattern))

    async def set_if(self, namespace: str, key: str, old: bytes | None, new: bytes) -> bool:
        """Write only if the value is still `old` (None: if there is none); tell whether it was."""
        _check_namespace(namespace)
        space = self._spaces.setdefault(namespace, {})
        if space.get(key) != old:
            return False
        space[key] = bytes(new)
        return True

    async def close(self) -> None:
        """Nothing to give back."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """One Redis service: its port, or its sentinel's port and the name of the master it watches."""

    host: str
    port: int = DEFAULT_PORT
    sentinel_port: int | None = None
    master: str = ""


def addresses_from_env(environ: Mapping[str, str] | None = None) -> tuple[RedisAddress, ...]:
    """Where the platform says its data bases are; empty when it says nothing.

    Reads DBAAS_SERVICE_HOST, DBAAS_SERVICE_PORT, DBAAS_SERVICE_SENTINEL_PORT, DBAAS_MASTER_NAME and
    DBAAS_CLUSTER_ADDR_LIST, each a comma separated list whose last item stands for the missing ones. Raises
    SdlError when a port is no number or a sentinel has no master name.
    """
    env = os.environ if environ is None else environ

    def items(name: str) -> list[str]:
        return [part.strip() for part in env.get(name, "").split(",") if part.strip()]

    def port(name: str, text: str) -> int:
        if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65536):
            raise SdlError(f"{name}: {text!r} is no port")
        return int(text)

    hosts = items("DBAAS_CLUSTER_ADDR_LIST") or items("DBAAS_SERVICE_HOST")[:1]
    ports, masters = items("DBAAS_SERVICE_PORT") or [str(DEFAULT_PORT)], items("DBAAS_MASTER_NAME")
    sentinels = items("DBAAS_SERVICE_SENTINEL_PORT")
    if hosts and sentinels and not masters:
        raise SdlError("DBAAS_SERVICE_SENTINEL_PORT is set and DBAAS_MASTER_NAME is not")
    return tuple(
        RedisAddress(
            host,
            port("DBAAS_SERVICE_PORT", ports[min(index, len(ports) - 1)]),
            port("DBAAS_SERVICE_SENTINEL_PORT", sentinels[min(index, len(sentinels) - 1)]) if sentinels else None,
            masters[min(index, len(masters) - 1)] if sentinels else "",
        )
        for index, host in enumerate(hosts)
    )


class RedisSdl:
    """An SDL in Redis. With several services a name space lives on the one its CRC-32 points at, as in OSC SDL."""

    def __init__(self, *addresses: RedisAddress, timeout_s: float = 2.0) -> None:
        if not addresses:
            raise SdlError("give a Redis address, or set DBAAS_SERVICE_HOST")
        self._addresses = addresses
        self._timeout_s = timeout_s
        self._clients: dict[int, tuple[Redis, ...]] = {}

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, *, timeout_s: float = 2.0) -> "RedisSdl":
        """The platform's data bases (see `addresses_from_env`)."""
        return cls(*addresses_from_env(environ), timeout_s=timeout_s)

    async def set(self, namespace: str, values: Mapping[str, bytes]) -> None:
        """Write all values at once."""
        client = self._client(namespace)
        if values:
            await self._run(client.mset({_redis_key(namespace, key): value for key, value in values.items()}))

    async def get(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        """Read values; keys that are not there are left out."""
        client, names = self._client(namespace), list(keys)
        if not names:
            return {}
        values = cast(
            list[bytes | None], await self._run(client.mget([_redis_key(namespace, key) for key in names]))
        )
        return {key: value for key, value in zip(names, values, strict=True) if value is not None}

    async def delete(self, namespace: str, keys: Collection[str]) -> None:
        """Remove keys; those that are not there are passed over."""
        client = self._client(namespace)
        if keys:
            await self._run(client.delete(*(_redis_key(namespace, key) for key in keys)))

    async def keys(self, namespace: str, pattern: str = "*") -> list[str]:
        """The keys of a name space that match a glob pattern, sorted."""
        client, prefix = self._client(namespace), _redis_key(namespace, "")
        match = prefix.replace("\\", "\\\\").replace("[", "\\[").replace("*", "\\*").replace("?", "\\?") + pattern

        async def scan() -> list[bytes]:
            return [key async for key in client.scan_iter(match=match, count=1000)]

        found = await self._run(scan())
        return sorted(key[len(prefix.encode()) :].decode("utf-8", "replace") for key in set(found))

    async def set_if(self, namespace: str, key: str, old: bytes | None, new: bytes) -> bool:
        """Write only if the value is still `old` (None: if there is none), atomically; tell whether it was."""
        client, name = self._client(namespace), _redis_key(namespace, key)
        if old is None:
            return bool(await self._run(client.set(name, new, nx=True)))
        script = cast(Awaitable[object], client.eval(_SET_IF, 1, name, old, new))
        return bool(await self._run(script))

    async def close(self) -> None:
        """Give the connections back."""
        clients, self._clients = self._clients, {}
        for client in (client for pair in clients.values() for client in pair):
            await client.aclose(close_connection_pool=True)

    def _client(self, namespace: str) -> "Redis":
        _check_namespace(namespace)
        shard = zlib.crc32(namespace.encode()) % len(self._addresses)
        if shard not in self._clients:
            self._clients[shard] = _connect(self._addresses[shard], self._timeout_s)
        return self._clients[shard][0]

    async def _run(self, operation: Awaitable[T]) -> T:
        from redis.exceptions import RedisError

        try:
            async with asyncio.timeout(self._timeout_s * 2):
                return await operation
        except (RedisError, OSError, TimeoutError) as error:
            where = ", ".join(f"{item.host}:{item.sentinel_port or item.port}" for item in self._addresses)
            raise SdlError(f"Redis at {where}: {error or type(error).__name__}") from error


def _redis_key(namespace: str, key: str) -> str:
    return f"{{{namespace}}},{key}"


def _connect(address: RedisAddress, timeout_s: float) -> "tuple[Redis, ...]":
    """A client of one service, and of its sentinel; they connect on first use and reconnect by themselves."""
    from redis.asyncio import Redis
    from redis.asyncio.sentinel import Sentinel

    if address.sentinel_port is None:
        plain = Redis(
            host=address.host, port=address.port, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
        )
        return (plain,)
    watcher = Sentinel(  # type: ignore[no-untyped-call]
        [(address.host, address.sentinel_port)],
        sentinel_kwargs={"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s},
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
    )
    return (cast("Redis", watcher.master_for(address.master)), *watcher.sentinels)
