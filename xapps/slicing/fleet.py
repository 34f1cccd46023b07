"""The cells under control: found on the E2 nodes that come, forgotten with those that go."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from oran import kpi
from oran.e2.identity import CellGlobalId, UeId
from oran.e2.kpm import profile as kpm_profile
from oran.errors import NodeListError
from oran.logs import get_logger
from oran.nodes import NodeInfo
from oran.slices import RrmPolicyRatio
from oran.subscription_forms import SubscriptionSpec
from xapps.slicing.cell import CellLoop
from xapps.slicing.config import Role, XappConfig
from xapps.slicing.control import ControlTarget, Policy
from xapps.slicing.controllers import Bystander, Controller, create
from xapps.slicing.errors import NodeError
from xapps.slicing.learned import Agent
from xapps.slicing.membership import Rosters, SliceOf, ue_slice_map
from xapps.slicing.nodes import NodeModel, Report, survey
from xapps.slicing.originals import Knowledge, Originals
from xapps.slicing.periods import PeriodCollector
from xapps.slicing.reports import ReportReader

_log = get_logger(__name__)

RETRY_PERIODS = 30
"""A node that could not be used is looked at again after so many updates."""


@dataclass(slots=True, eq=False)
class ControlledCell:
    """A cell, its control loop, and what was sent to it. `target` is None where it can only be watched."""

    loop: CellLoop
    target: ControlTarget | None
    collector: PeriodCollector
    knowledge: Knowledge = Knowledge.FRESH
    original: Policy = ()
    sent: Policy | None = None
    sent_s: float = 0.0
    not_before_s: float = 0.0
    """Nothing is sent before this time, because the node refused or did not answer."""
    ues: dict[UeId, int] = field(default_factory=dict)
    """The UEs last seen, and the index of each one's slice."""
    told: dict[UeId, RrmPolicyRatio] = field(default_factory=dict)
    """The quota last sent for each UE, where quotas go by UE."""
    instance: int = -1
    """Id of a subscription to the node; answers to controls carry it."""


@dataclass(slots=True, eq=False)
class Feed:
    """One subscription's reports and how they are read."""

    report: Report
    cell: ControlledCell
    reader: ReportReader
    rosters: Rosters
    dialect: kpm_profile.NodeProfile
    instance: int = -1
    """The E2 instance id under which it was last in force."""
    sn: int | None = None
    heard_s: float = 0.0
    """When it last gave an indication, or was made."""


class Fleet:
    """Knows nodes, cells and feeds. `update` follows the RIC's list of connected nodes.

    `agent` decides for all cells where the controller is `learned`.
    """

    def __init__(self, config: XappConfig, originals: Originals, agent: Agent | None = None) -> None:
        self._config = config
        self._originals = originals
        self._agent = agent
        self._models: dict[str, NodeModel] = {}
        self._unusable: dict[str, int] = {}
        self._feeds: dict[SubscriptionSpec, Feed] = {}
        self._cells: dict[tuple[str, CellGlobalId | None], ControlledCell] = {}

    @property
    def nodes(self) -> int:
        """Nodes in use."""
        return len(self._models)

    @property
    def connected(self) -> set[str]:
        """Names of the nodes in use."""
        return set(self._models)

    def cells(self) -> list[ControlledCell]:
        """All cells."""
        return list(self._cells.values())

    def loops(self) -> Iterator[CellLoop]:
        """The control loops of all cells."""
        return (cell.loop for cell in self._cells.values())

    def cell(self, node: str, cell: CellGlobalId | None) -> ControlledCell | None:
        """A cell; None once its node has gone."""
        return self._cells.get((node, cell))

    def feeds(self) -> list[Feed]:
        """All feeds, whether their subscription is in force or not."""
        return list(self._feeds.values())

    def feed(self, spec: SubscriptionSpec) -> Feed | None:
        """The feed of a subscription."""
        return self._feeds.get(spec)

    def wanted(self) -> list[SubscriptionSpec]:
        """The subscriptions there should be."""
        return list(self._feeds)

    async def update(
        self, infos: Sequence[NodeInfo], details: Callable[[str], Awaitable[NodeInfo]]
    ) -> tuple[str, ...]:
        """Take in the RIC's nodes and return the names of those gone; `details` asks for one's functions.

        A node that cannot be used is logged and looked at again later.
        """
        here = {info.name for info in infos if info.connected and self._config.includes(info.name)}
        gone = tuple(name for name in self._models if name not in here)
        for name in gone:
            self._remove(name)
        self._unusable = {name: wait - 1 for name, wait in self._unusable.items() if name in here and wait > 1}
        for name in sorted(here - set(self._models) - set(self._unusable)):
            try:
                await self._add(survey(await details(name), self._config))
            except (NodeError, NodeListError) as error:
                self._unusable[name] = RETRY_PERIODS
                _log.warning("node_unusable", node=name, reason=str(error))
        return gone

    async def _add(self, model: NodeModel) -> None:
        config = self._config
        slice_of = ue_slice_map(model.name, config.ue_slices, config.snssais)
        cells = {cell: await self._new_cell(model, cell) for cell in model.cells}
        for report in model.reports:
            reader = ReportReader(
                config.snssais,
                profile=kpi.PROFILES[model.rule.profile],
                names=model.names,
                period_s=config.period_s,
            )
            dialect = kpm_profile.PROFILES[model.rule.dialect]
            rosters = Rosters(slice_of if report.slice is None else _all_of(report.slice))
            self._feeds[report.spec] = Feed(report, cells[report.cell], reader, rosters, dialect)
        self._models[model.name] = model
        self._cells |= {(model.name, cell): made for cell, made in cells.items()}
        kinds = sorted({report.kind.value for report in model.reports})
        controls = sorted({target.kind.value for target in model.targets.values()})
        _log.info("node_found", node=model.name, cells=len(cells), reports=kinds, controls=controls)

    async def _new_cell(self, model: NodeModel, cell: CellGlobalId | None) -> ControlledCell:
        config, target = self._config, model.targets.get(cell)
        loop = CellLoop(
            model.name,
            cell,
            config.snssais,
            controller=self._controller(),
            guard=config.guard_config(),
            period_s=config.period_s,
            cell_prbs=model.rule.cell_prbs,
        )
        sources = [report.slice for report in model.reports if report.cell == cell]
        made = ControlledCell(loop, target, PeriodCollector(sources))
        if target is None:
            _log.warning("cell_cannot_be_controlled", node=model.name)
        elif config.sends:
            made.knowledge, made.original = await self._originals.begin(model.name, cell)
        return made

    def _controller(self) -> Controller:
        config = self._config
        return Bystander() if config.role is Role.CRITIC else create(config.controller, config.demand, self._agent)

    def _remove(self, name: str) -> None:
        _log.warning("node_gone", node=name)
        del self._models[name]
        self._feeds = {spec: feed for spec, feed in self._feeds.items() if spec.meid != name}
        self._cells = {key: cell for key, cell in self._cells.items() if key[0] != name}


def _all_of(index: int) -> SliceOf:
    """Every UE is of one slice: the node was asked for that slice's only."""
    return lambda ue: index
