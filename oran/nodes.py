"""The E2 nodes of a RIC, as its E2 manager tells them (REST, port 3800 in the OSC platform)."""

from dataclasses import dataclass
from urllib.parse import quote

from oran.e2.e2ap.messages import RanFunction
from oran.errors import NodeListError
from oran.logs import get_logger
from oran.rest import JsonObject, JsonValue
from oran.rest_client import RestClient, RestError

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """An E2 node: its name (the MEID of RMR messages), whether it is connected, and its RAN functions.

    `list_nodes` leaves `functions` empty; ask `node` for them.
    """

    name: str
    connected: bool
    functions: tuple[RanFunction, ...] = ()


class NodesClient:
    """Asks the E2 manager. Every request raises NodeListError when there is no usable answer."""

    def __init__(
        self, url: str = "http://service-ricplt-e2mgr-http.ricplt:3800", *, timeout_s: float = 5.0
    ) -> None:
        self._rest = RestClient(url, timeout_s=timeout_s)

    async def list_nodes(self) -> tuple[NodeInfo, ...]:
        """All nodes the RIC knows, connected or not, without their functions."""
        entries = await self._get("/v1/nodeb/states")
        if entries is None:
            return ()
        if not isinstance(entries, list):
            raise NodeListError("the E2 manager's list of nodes is no list")
        nodes = []
        for entry in entries:
            name = _text(entry, "inventoryName", "ranName", "name") if isinstance(entry, dict) else ""
            if not isinstance(entry, dict) or not name:
                _log.warning("node_without_name", entry=str(entry)[:200])
                continue
            nodes.append(NodeInfo(name, _connected(entry)))
        return tuple(nodes)

    async def node(self, name: str) -> NodeInfo:
        """One node with its RAN functions; NodeListError also when the RIC does not know it."""
        entry = await self._get(f"/v1/nodeb/{quote(name, safe='')}")
        if not isinstance(entry, dict):
            raise NodeListError(f"the E2 manager's answer on {name} is no object")
        return NodeInfo(
            _text(entry, "ranName", "inventoryName", "name") or name, _connected(entry), _functions(entry)
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._rest.close()

    async def _get(self, path: str) -> JsonValue:
        try:
            answer = await self._rest.request("GET", path)
        except RestError as error:
            raise NodeListError(str(error)) from error
        if not answer.ok:
            raise NodeListError(f"GET {self._rest.url}{path}: {answer.reason}")
        return answer.body


def _text(entry: JsonObject, *keys: str) -> str:
    return next((value for key in keys if isinstance(value := entry.get(key), str) and value), "")


def _connected(entry: JsonObject) -> bool:
    return _text(entry, "connectionStatus", "connection_status", "status").upper() == "CONNECTED"


def _functions(entry: JsonObject) -> tuple[RanFunction, ...]:
    """The RAN functions of a node: under `gnb` or `enb` where the E2 manager knows the kind, else on top."""
    holders = [entry, *(part for key in ("gnb", "enb") if isinstance(part := entry.get(key), dict))]
    lists = [found for holder in holders if isinstance(found := holder.get("ranFunctions"), list)]
    functions = []
    for item in (item for found in lists for item in found):
        function = _function(item)
        if function is None:
            _log.warning("unreadable_ran_function", item=str(item)[:200])
        else:
            functions.append(function)
    return tuple(functions)


def _function(item: JsonValue) -> RanFunction | None:
    """A RAN function; None when unreadable. Protobuf's JSON leaves out zeros and may write numbers as text."""
    if not isinstance(item, dict):
        return None
    number, revision = item.get("ranFunctionId", 0), item.get("ranFunctionRevision", 0)
    try:
        definition = bytes.fromhex(_text(item, "ranFunctionDefinition", "definition"))
        if isinstance(number, int | str) and isinstance(revision, int | str):
            return RanFunction(
                int(number), definition, int(revision), _text(item, "ranFunctionOid", "ranFunctionOID", "oid")
            )
    except ValueError:
        pass
    return None
