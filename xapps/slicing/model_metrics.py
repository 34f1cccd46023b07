"""What Prometheus reads of the models of the controller `learned`: which there are, and how candidates do."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from xapps.slicing.succession import Succession


class ModelMetrics(Collector):
    """Read from the succession at each scrape."""

    def __init__(self, models: Succession) -> None:
        self._models = models

    def collect(self) -> Iterator[Metric]:
        """All families."""
        models = self._models
        info = GaugeMetricFamily("ranloop_model_info", "1 for each model in memory", labels=("place", "model"))
        info.add_metric(("running", str(models.running)), 1)
        if models.before is not None:
            info.add_metric(("before", str(models.before)), 1)
        if models.shadow is not None:
            info.add_metric(("shadow", str(models.shadow.actor)), 1)
        yield info
        events = CounterMetricFamily("ranloop_model_events", "What became of models", labels=("event",))
        for event, count in models.events.items():
            events.add_metric((event,), count)
        yield events
        yield CounterMetricFamily(
            "ranloop_model_shadow_decisions", "Decisions of candidates, without effect", models.shadow_decisions
        )
        yield GaugeMetricFamily(
            "ranloop_model_shadow_share_difference",
            "Mean absolute difference between the last candidate's shares and the running model's",
            models.difference,
        )
