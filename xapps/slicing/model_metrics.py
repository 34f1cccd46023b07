"""What Prometheus reads of models and of how they do: who runs and who shadows; reward, value, error and drift."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from xapps.slicing.critique import Critique
from xapps.slicing.metrics import CELL_LABELS
from xapps.slicing.originals import cell_text
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


class CritiqueMetrics(Collector):
    """Read from the critique at each scrape."""

    def __init__(self, critique: Critique) -> None:
        self._critique = critique

    def collect(self) -> Iterator[Metric]:
        """All families; those of a critic or a reference hold no sample where the package has none."""
        critique = self._critique
        reward = GaugeMetricFamily("ranloop_reward", "Slicing reward of the last report", labels=CELL_LABELS)
        value = GaugeMetricFamily(
            "ranloop_critic_value", "Value of the cell's state and quotas to the critic", labels=CELL_LABELS
        )
        error = GaugeMetricFamily("ranloop_critic_td_error", "Last temporal-difference error", labels=CELL_LABELS)
        drift = GaugeMetricFamily(
            "ranloop_state_drift", "Population stability index against training", labels=("feature",)
        )
        for (node, cell), report in critique.reports.items():
            reward.add_metric((node, cell_text(cell)), report.reward)
        for family, found in ((value, critique.values), (error, critique.errors)):
            for (node, cell), number in found.items():
                family.add_metric((node, cell_text(cell)), number)
        for feature, index in critique.drift.index().items() if critique.drift is not None else ():
            drift.add_metric((feature,), index)
        yield from (reward, value, error, drift)
        yield GaugeMetricFamily(
            "ranloop_critic_td_error_mean", "Mean absolute error over all cells, fading", critique.mean_error
        )
        yield CounterMetricFamily("ranloop_critic_rounds", "Reporting periods judged", critique.rounds)
