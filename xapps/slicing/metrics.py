"""What Prometheus reads from the xApp, in a registry of its own; every name begins with `ranloop_`.

Counters and the latency histogram are kept as things happen. Gauges are read from the live cells when Prometheus
asks, so that the control path pays nothing for them and cells that are gone leave no trace.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from oran.sla import SliceSla, satisfied
from xapps.slicing.cell import CellLoop
from xapps.slicing.control import Outcome
from xapps.slicing.guard import Reason
from xapps.slicing.originals import cell_text

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

LATENCY_BUCKETS_S = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.5)

# Data volumes are in octets, as Prometheus wants it; rates keep the unit of the promises.
KPI_GAUGES = {
    "throughput_bps": ("ranloop_kpi_throughput_bps", "Mean throughput of a UE while it has data"),
    "delay_s": ("ranloop_kpi_delay_seconds", "Mean downlink delay"),
    "drop_rate": ("ranloop_kpi_drop_ratio", "Share of downlink packets lost or late"),
    "arrived_bit": ("ranloop_kpi_arrived_bytes", "Data that arrived in the last period"),
    "delivered_bit": ("ranloop_kpi_delivered_bytes", "Data delivered in the last period"),
    "prb_used": ("ranloop_kpi_prbs_used", "Mean PRBs used"),
    "active_ues": ("ranloop_kpi_active_ues", "Mean number of UEs with data"),
}

CELL_LABELS = ("node", "cell")
SLICE_LABELS = ("node", "cell", "slice")


class XappMetrics:
    """The counters of one xApp. `cells` and `gauges` are asked at each scrape."""

    def __init__(
        self,
        cells: Callable[[], Iterable[CellLoop]],
        promises: Callable[[], tuple[SliceSla, ...]],
        gauges: Callable[[], Mapping[str, float]],
        totals: Callable[[], Mapping[str, Mapping[str, float]]],
        now_s: Callable[[], float],
    ) -> None:
        # The time at which each series began doubles their number and says nothing here.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry(auto_describe=False)
        self.latency = Histogram(
            "ranloop_decision_latency_seconds",
            "From the last octet of an indication read to its control written",
            buckets=LATENCY_BUCKETS_S,
            registry=self.registry,
        )
        controls = Counter(
            "ranloop_controls", "Controls by what became of them", ("outcome",), registry=self.registry
        )
        interventions = Counter(
            "ranloop_guard_interventions",
            "Decisions the guard changed or replaced, by reason",
            ("reason",),
            registry=self.registry,
        )
        self._dropped = Counter(
            "ranloop_dropped_messages", "Messages not used, by reason", ("reason",), registry=self.registry
        )
        self.indications = Counter("ranloop_indications", "Indications received", registry=self.registry)
        self.lost_indications = Counter(
            "ranloop_lost_indications", "Gaps in the sequence numbers of indications", registry=self.registry
        )
        self.decisions = Counter("ranloop_decisions", "Decisions made", registry=self.registry)
        self.controller_errors = Counter(
            "ranloop_controller_errors", "Decisions in which the controller failed", registry=self.registry
        )
        self._controls = {outcome: controls.labels(outcome.value) for outcome in Outcome}
        self._interventions = {reason: interventions.labels(reason.value) for reason in Reason}
        self.registry.register(_Live(cells, promises, gauges, totals, now_s))
        ProcessCollector(namespace="ranloop", registry=self.registry)

    def control(self, outcome: Outcome, count: int = 1) -> None:
        """Count controls by what became of them."""
        self._controls[outcome].inc(count)

    def intervened(self, reasons: Iterable[Reason]) -> None:
        """Count what the guard did to one decision."""
        for reason in reasons:
            self._interventions[reason].inc()

    def drop(self, reason: str) -> None:
        """Count a message that was not used; reasons are a fixed set of short words."""
        self._dropped.labels(reason).inc()

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)


class _Live(Collector):
    """Gauges read from the live objects at each scrape."""

    def __init__(
        self,
        cells: Callable[[], Iterable[CellLoop]],
        promises: Callable[[], tuple[SliceSla, ...]],
        gauges: Callable[[], Mapping[str, float]],
        totals: Callable[[], Mapping[str, Mapping[str, float]]],
        now_s: Callable[[], float],
    ) -> None:
        self._cells = cells
        self._promises = promises
        self._gauges = gauges
        self._totals = totals
        self._now_s = now_s

    def collect(self) -> Iterator[Metric]:
        """All families; those of cells hold no sample where no cell is known."""
        cells = list(self._cells())
        yield from self._kpis(cells)
        yield from self._quotas(cells)
        yield from self._promised()
        for name, value in self._gauges().items():
            yield GaugeMetricFamily(f"ranloop_{name}", name.replace("_", " "), value=value)
        for name, by_reason in self._totals().items():
            family = CounterMetricFamily(f"ranloop_{name}", name.replace("_", " "), labels=("reason",))
            for reason, count in by_reason.items():
                family.add_metric((reason,), count)
            yield family

    def _kpis(self, cells: list[CellLoop]) -> Iterator[Metric]:
        families = {field: GaugeMetricFamily(*text, labels=SLICE_LABELS) for field, text in KPI_GAUGES.items()}
        prbs = GaugeMetricFamily("ranloop_cell_prbs_available", "PRBs of the cell", labels=CELL_LABELS)
        age = GaugeMetricFamily("ranloop_kpi_age_seconds", "Age of the cell's last report", labels=CELL_LABELS)
        for loop in cells:
            place = (loop.node, cell_text(loop.cell))
            if math.isfinite(loop.seen_s):
                age.add_metric(place, self._now_s() - loop.seen_s)
            if loop.observation is None:
                continue
            prbs.add_metric(place, float(loop.observation.prb_available))
            for field, family in families.items():
                values = getattr(loop.observation.kpis, field)
                _add_slices(family, loop, (values / 8 if field.endswith("_bit") else values).tolist())
        yield from (*families.values(), prbs, age)

    def _quotas(self, cells: list[CellLoop]) -> Iterator[Metric]:
        quota = GaugeMetricFamily(
            "ranloop_quota_percent", "RRM policy ratios decided", labels=(*SLICE_LABELS, "ratio")
        )
        qos = GaugeMetricFamily("ranloop_qos_ratio", "QoS achieved over QoS promised", labels=SLICE_LABELS)
        kept = GaugeMetricFamily("ranloop_sla_kept", "1 where the promise is kept", labels=SLICE_LABELS)
        share = GaugeMetricFamily(
            "ranloop_sla_satisfaction_ratio", "Weighted share of promises kept", labels=CELL_LABELS
        )
        for loop in cells:
            if loop.last is None:
                continue
            for item in loop.last.policy:
                for ratio in ("dedicated", "min", "max"):
                    labels = (loop.node, cell_text(loop.cell), str(item.slice), ratio)
                    quota.add_metric(labels, getattr(item, ratio))
            _add_slices(qos, loop, loop.last.qos.tolist())
            if loop.last.observation is not None:
                _add_slices(kept, loop, satisfied(loop.last.qos).astype(float).tolist())
                share.add_metric((loop.node, cell_text(loop.cell)), loop.last.satisfaction)
        yield from (quota, qos, kept, share)

    def _promised(self) -> Iterator[Metric]:
        families = {
            "throughput_bps": GaugeMetricFamily(
                "ranloop_sla_throughput_bps", "Least UE throughput promised", labels=("slice",)
            ),
            "delay_s": GaugeMetricFamily("ranloop_sla_delay_seconds", "Most delay promised", labels=("slice",)),
            "drop_rate": GaugeMetricFamily("ranloop_sla_drop_ratio", "Most loss promised", labels=("slice",)),
            "weight": GaugeMetricFamily("ranloop_sla_weight", "Weight of the slice", labels=("slice",)),
        }
        for promise in self._promises():
            for field, family in families.items():
                value = getattr(promise, field)
                if value is not None:
                    family.add_metric((str(promise.slice),), value)
        yield from families.values()


def _add_slices(family: GaugeMetricFamily, loop: CellLoop, values: list[float]) -> None:
    """One sample per slice; nothing was measured where the value is NaN."""
    for name, value in zip(loop.slices, values, strict=True):
        if not math.isnan(value):
            family.add_metric((loop.node, cell_text(loop.cell), str(name)), value)
