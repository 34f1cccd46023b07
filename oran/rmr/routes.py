"""Route tables: where a message of a type, subscription and node goes.

A table arrives as text, from a seed file or from the route manager: one record a line, fields parted by '|',
'#' starts a comment (librmr's route table guide; rtmgr sends the same). Two kinds of table exist, each between
a start and an end record that may carry an id and a count of records:

newrt|start|ID ... newrt|end|N            replaces all routes      rte|TYPE[,SENDER..]|TARGETS[|SUBID]
updatert|start|ID ... updatert|end|N      changes some routes      mse|TYPE[,SENDER..]|SUBID|TARGETS
                                                                   del|TYPE[,SENDER..]|SUBID
meid_map|start|ID ... meid_map|end|N      changes node owners      mme_ar|OWNER|MEID MEID ..  mme_del|MEID ..

TARGETS is `%meid` (the owner of the message's node) or groups parted by ';', each a list parted by ','.
"""

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from oran.rmr.address import is_address
from oran.rmr.types import UNSET

_COMMENT = re.compile(r"(?:^|\s)#.*")
_KEY_RANGE = range(-(1 << 31), 1 << 31)


@dataclass(slots=True)
class Route:
    """The targets of one (type, subscription): a copy goes to one endpoint of each group, in turn."""

    groups: tuple[tuple[str, ...], ...] = ()
    by_meid: bool = False
    turn: int = 0

    def next_targets(self) -> tuple[str, ...]:
        """One endpoint of each group, round robin."""
        turn, self.turn = self.turn, self.turn + 1
        return tuple(group[turn % len(group)] for group in self.groups)


@dataclass(slots=True)
class RouteTable:
    """Routes by (sub_id, mtype), and the endpoint that owns each node (meid)."""

    routes: dict[tuple[int, int], Route] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)

    def find(self, mtype: int, sub_id: int = UNSET) -> Route | None:
        """The route of a type and subscription, else that of the type alone."""
        route = self.routes.get((sub_id, mtype))
        if route is None and sub_id != UNSET:
            route = self.routes.get((UNSET, mtype))
        return route

    def targets(self, mtype: int, sub_id: int = UNSET, meid: str = "") -> tuple[str, ...]:
        """The endpoints "host:port" the next message goes to; empty when there is no route."""
        route = self.find(mtype, sub_id)
        if route is None:
            return ()
        if route.by_meid:
            owner = self.owners.get(meid)
            return (owner,) if owner else ()
        return route.next_targets()


@dataclass(frozen=True, slots=True)
class TableState:
    """What became of one table of a text: taken, or refused for a reason."""

    table_id: str
    accepted: bool
    reason: str = ""

    @property
    def payload(self) -> bytes:
        """The acknowledgement the route manager expects (RMR message type 22)."""
        table_id = self.table_id or "<id-missing>"
        text = f"OK {table_id} \n" if self.accepted else f"ERR {table_id} {self.reason}\n"
        return text.encode("latin-1", "replace") + b"\0"


class _Kind(enum.Enum):
    FULL = "newrt"
    UPDATE = "updatert"
    OWNERS = "meid_map"


@dataclass(slots=True)
class _Pending:
    """A table between its start and its end record."""

    kind: _Kind
    table_id: str
    table: RouteTable
    records: int = 0


class RouteCollector:
    """Reads route records and keeps the table in force; a table counts only once its end record agrees.

    `own_addresses` are the "host:port" this endpoint goes by. A record with a list of senders is used only
    when one of them is ours, and targets that are ourselves are left out. Records that cannot be read are
    skipped and counted in `malformed`.
    """

    def __init__(self, own_addresses: Iterable[str] = ()) -> None:
        self.own_addresses = frozenset(own_addresses)
        self.table = RouteTable()
        self.loaded = False
        self.malformed = 0
        self._has_full_table = False
        self._pending: _Pending | None = None

    def load(self, text: str, *, seed: bool = False) -> list[TableState]:
        """Read records and return the fate of each table that ended.

        A `seed` does not open the way for updates, which need a whole table from the route manager first.
        """
        states: list[TableState] = []
        for line in text.replace("\r", "\n").replace("\0", "\n").split("\n"):
            fields = [part.strip() for part in _COMMENT.sub("", line).split("|")]
            if fields == [""]:
                continue
            state = self._record(fields, seed)
            if state is not None:
                states.append(state)
        return states

    def _record(self, fields: list[str], seed: bool) -> TableState | None:
        name = fields[0]
        if name in ("newrt", "updatert", "meid_map"):
            if len(fields) > 1 and fields[1] == "start":
                return self._start(_Kind(name), fields[2] if len(fields) > 2 else "")
            if len(fields) > 1 and fields[1] == "end":
                return self._end(_Kind(name), fields[2] if len(fields) > 2 else "", seed)
            self.malformed += 1
            return None
        pending = self._pending
        reader = {"rte": _read_rte, "mse": _read_mse, "del": _read_del}.get(name)
        if reader is not None and len(fields) >= 3:
            if pending is not None and pending.kind is not _Kind.OWNERS:
                pending.records += 1
                self.malformed += not reader(pending.table, fields, self.own_addresses)
        elif name in ("mme_ar", "mme_del") and len(fields) >= 2:
            if pending is not None and pending.kind is _Kind.OWNERS:
                pending.records += 1
                self.malformed += not _read_owners(pending.table, fields)
        else:
            self.malformed += 1
        return None

    def _start(self, kind: _Kind, table_id: str) -> TableState | None:
        lost, self._pending = self._pending, None
        if kind is not _Kind.UPDATE or self._has_full_table:
            routes = {} if kind is _Kind.FULL else dict(self.table.routes)
            self._pending = _Pending(kind, table_id, RouteTable(routes, dict(self.table.owners)))
        return None if lost is None else TableState(lost.table_id, False, "table not complete")

    def _end(self, kind: _Kind, count: str, seed: bool) -> TableState | None:
        pending, self._pending = self._pending, None
        if pending is None or pending.kind is not kind:
            return None if pending is None else TableState(pending.table_id, False, "table not complete")
        if count and _number(count) != pending.records:
            reason = f"missing table records: expected {count[:20]} got {pending.records}"
            return TableState(pending.table_id, False, reason)
        self.table = pending.table
        if kind is not _Kind.OWNERS:
            self.loaded = True
            self._has_full_table = self._has_full_table or not seed
        return TableState(pending.table_id, True)


def _read_rte(table: RouteTable, fields: list[str], own: frozenset[str]) -> bool:
    return _add(table, fields[1], fields[3] if len(fields) > 3 else str(UNSET), fields[2], own)


def _read_mse(table: RouteTable, fields: list[str], own: frozenset[str]) -> bool:
    return len(fields) > 3 and _add(table, fields[1], fields[2], fields[3], own)


def _read_del(table: RouteTable, fields: list[str], own: frozenset[str]) -> bool:
    key = _key(fields[1], fields[2])
    if key is not None and _is_ours(fields[1], own):
        table.routes.pop(key, None)
    return key is not None


def _add(table: RouteTable, type_and_senders: str, sub_id: str, targets: str, own: frozenset[str]) -> bool:
    key = _key(type_and_senders, sub_id)
    if key is None:
        return False
    if targets == "%meid":
        route = Route(by_meid=True)
    else:
        names = [[name.strip() for name in group.split(",") if name.strip()] for group in targets.split(";")]
        if not any(names) or not all(is_address(name) for group in names for name in group):
            return False
        groups = (tuple(name for name in group if name not in own) for group in names)
        route = Route(tuple(group for group in groups if group))
    if _is_ours(type_and_senders, own):
        table.routes[key] = route
    return True


def _read_owners(table: RouteTable, fields: list[str]) -> bool:
    if fields[0] == "mme_del":
        for meid in fields[1].split():
            table.owners.pop(meid, None)
        return True
    if len(fields) < 3 or not is_address(fields[1]):
        return False
    table.owners.update(dict.fromkeys(fields[2].split(), fields[1]))
    return True


def _key(type_and_senders: str, sub_id: str) -> tuple[int, int] | None:
    mtype = _number(type_and_senders.split(",", 1)[0])
    sub = _number(sub_id)
    return None if mtype is None or sub is None else (sub, mtype)


def _is_ours(type_and_senders: str, own: frozenset[str]) -> bool:
    senders = type_and_senders.split(",")[1:]
    return not senders or any(sender.strip() in own for sender in senders)


def _number(text: str) -> int | None:
    digits = text.strip()
    if not digits.removeprefix("-").isdigit() or not digits.isascii() or len(digits) > 11:
        return None
    value = int(digits)
    return value if value in _KEY_RANGE else None
