"""What the RIC counts, and its Prometheus text."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.core import Metric


@dataclass(slots=True)
class RicCounters:
    """Messages through the RIC, and drops by reason (short snake_case words)."""

    indications: int = 0
    controls: int = 0
    subscriptions_made: int = 0
    subscriptions_failed: int = 0
    notifications_failed: int = 0
    route_pushes: int = 0
    route_pushes_failed: int = 0
    policies_sent: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def drop(self, reason: str, count: int = 1) -> None:
        """Count messages lost for a reason."""
        self.dropped[reason] += count


@dataclass(frozen=True, slots=True, eq=False)
class RicMetrics:
    """A Prometheus collector over the counters and the gauges that `gauges` reads at scrape time."""

    counters: RicCounters
    rmr_dropped: Counter[str]
    gauges: Callable[[], Mapping[str, float]]

    def collect(self) -> "Iterable[Metric]":
        """The metric families, made anew for each scrape."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        for name in RicCounters.__dataclass_fields__:
            if name != "dropped":
                family = CounterMetricFamily(f"ranloop_ric_{name}", name.replace("_", " ").capitalize())
                family.add_metric([], getattr(self.counters, name))
                yield family
        drops = CounterMetricFamily("ranloop_ric_dropped", "Messages dropped", labels=["layer", "reason"])
        for layer, dropped in (("ric", self.counters.dropped), ("rmr", self.rmr_dropped)):
            for reason, count in sorted(dropped.items()):
                drops.add_metric([layer, reason], count)
        yield drops
        for name, value in self.gauges().items():
            gauge = GaugeMetricFamily(f"ranloop_ric_{name}", name.replace("_", " ").capitalize())
            gauge.add_metric([], value)
            yield gauge

    def text(self) -> bytes:
        """The exposition text of one scrape."""
        from prometheus_client import CollectorRegistry, generate_latest

        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)
