"""The Grafana dashboard of the slicing xApp, as code: `python charts/grafana/dashboard.py` writes slicing.json.

Each query is run in the tests against a real Prometheus that scrapes a running xApp, and must return data.
"""

from dataclasses import dataclass
from pathlib import Path

from grafana_foundation_sdk.builders.common import VizLegendOptions
from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, QueryVariable, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.timeseries import Panel
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh

PATH = Path(__file__).parent / "slicing.json"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
WINDOW = "$__rate_interval"
AT = 'node=~"$node"'


@dataclass(frozen=True, slots=True)
class Chart:
    """One panel: its title, what it tells, its unit, and its queries as (PromQL, legend)."""

    title: str
    description: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    highest: float | None = None
    lowest: float | None = 0.0


def _latency(quantile: float) -> str:
    return f"histogram_quantile({quantile}, sum by (le) (rate(ranloop_decision_latency_seconds_bucket[{WINDOW}])))"


ROWS: dict[str, tuple[Chart, ...]] = {
    "Promises": (
        Chart(
            "SLA satisfaction",
            "Weighted share of the promises kept, by node.",
            "percentunit",
            ((f"avg by (node) (ranloop_sla_satisfaction_ratio{{{AT}}})", "{{node}}"),),
            1.0,
        ),
        Chart(
            "QoS achieved over promised",
            "1 keeps the promise; the worst node of each slice.",
            "none",
            ((f"min by (slice) (ranloop_qos_ratio{{{AT}}})", "{{slice}}"),),
        ),
        Chart(
            "Delay",
            "Mean downlink delay of each slice, and what it is promised.",
            "s",
            (
                (f"avg by (slice) (ranloop_kpi_delay_seconds{{{AT}}})", "{{slice}}"),
                ("ranloop_sla_delay_seconds", "{{slice}} promised"),
            ),
        ),
        Chart(
            "UE throughput",
            "Mean throughput of a UE while it has data, and what is promised.",
            "bps",
            (
                (f"avg by (slice) (ranloop_kpi_throughput_bps{{{AT}}})", "{{slice}}"),
                ("ranloop_sla_throughput_bps", "{{slice}} promised"),
            ),
        ),
        Chart(
            "Loss",
            "Packets lost or late.",
            "percentunit",
            ((f"avg by (slice) (ranloop_kpi_drop_ratio{{{AT}}})", "{{slice}}"),),
        ),
    ),
    "Resources": (
        Chart(
            "Minimum PRB quota",
            "What the xApp decided, by node and slice.",
            "percent",
            ((f'ranloop_quota_percent{{{AT},ratio="min"}}', "{{node}} {{slice}}"),),
            100.0,
        ),
        Chart(
            "PRBs used",
            "By slice, over the nodes chosen.",
            "none",
            (
                (f"sum by (slice) (ranloop_kpi_prbs_used{{{AT}}})", "{{slice}}"),
                (f"sum(ranloop_cell_prbs_available{{{AT}}})", "available"),
            ),
        ),
        Chart(
            "Data arrived and delivered",
            "Per reporting period.",
            "decbytes",
            (
                (f"sum by (slice) (ranloop_kpi_arrived_bytes{{{AT}}})", "{{slice}} arrived"),
                (f"sum by (slice) (ranloop_kpi_delivered_bytes{{{AT}}})", "{{slice}} delivered"),
            ),
        ),
        Chart(
            "UEs with data",
            "Mean number, by slice.",
            "none",
            ((f"sum by (slice) (ranloop_kpi_active_ues{{{AT}}})", "{{slice}}"),),
        ),
    ),
    "The xApp": (
        Chart(
            "Decision latency",
            "From an indication's last octet read to its control's last octet written.",
            "s",
            ((_latency(0.5), "p50"), (_latency(0.99), "p99")),
        ),
        Chart(
            "Indications and decisions",
            "Per second, with the indications lost on the way.",
            "cps",
            (
                (f"rate(ranloop_indications_total[{WINDOW}])", "indications"),
                (f"rate(ranloop_decisions_total[{WINDOW}])", "decisions"),
                (f"rate(ranloop_lost_indications_total[{WINDOW}])", "lost"),
            ),
        ),
        Chart(
            "Controls by outcome",
            "What became of the quotas sent.",
            "cps",
            ((f"sum by (outcome) (rate(ranloop_controls_total[{WINDOW}]))", "{{outcome}}"),),
        ),
        Chart(
            "Guard interventions",
            "Decisions the guard changed or replaced, by reason.",
            "cps",
            ((f"sum by (reason) (rate(ranloop_guard_interventions_total[{WINDOW}]))", "{{reason}}"),),
        ),
        Chart(
            "Age of KPIs",
            "Time since each cell's last report; quotas fall back when it grows.",
            "s",
            ((f"max by (node) (ranloop_kpi_age_seconds{{{AT}}})", "{{node}}"),),
        ),
    ),
    "Models": (
        Chart(
            "Candidate against the running model",
            "Mean absolute difference in share of the last model that decided in the shadow.",
            "percentunit",
            (("ranloop_model_shadow_share_difference", "difference"),),
        ),
        Chart(
            "Models",
            "Candidates since the start, by what became of them.",
            "none",
            (("sum by (event) (ranloop_model_events_total)", "{{event}}"),),
        ),
        Chart(
            "Reward",
            "Slicing reward by node; 0 keeps every promise exactly.",
            "none",
            ((f"avg by (node) (ranloop_reward{{{AT}}})", "{{node}}"),),
            lowest=None,
        ),
        Chart(
            "Temporal-difference error",
            "Mean absolute error of the critic over all cells; it grows as the network departs from training.",
            "none",
            (("ranloop_critic_td_error_mean", "error"),),
        ),
        Chart(
            "Drift of the state",
            "Population stability index against training; above 0.25 by the usual reading a large shift.",
            "none",
            (("topk(5, ranloop_state_drift)", "{{feature}}"),),
        ),
    ),
}


def _panel(chart: Chart) -> Panel:
    panel = (
        Panel()
        .title(chart.title)
        .description(chart.description)
        .unit(chart.unit)
        .datasource(SOURCE)
        .height(8)
        .span(8)
        .line_width(1)
        .fill_opacity(5)
        .legend(
            VizLegendOptions()
            .show_legend(True)
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
        )
    )
    if chart.lowest is not None:
        panel = panel.min(chart.lowest)
    if chart.highest is not None:
        panel = panel.max(chart.highest)
    for index, (query, legend) in enumerate(chart.queries):
        panel = panel.with_target(Dataquery().expr(query).legend_format(legend).ref_id(chr(ord("A") + index)))
    return panel


def dashboard() -> str:
    """The dashboard as JSON text."""
    made = (
        Dashboard("Ranloop slicing xApp")
        .uid("ranloop-slicing")
        .tags(["ranloop", "o-ran"])
        .refresh("5s")
        .time("now-15m", "now")
        .timezone("browser")
        .with_variable(DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(
            QueryVariable("node")
            .label("Node")
            .query("label_values(ranloop_kpi_age_seconds, node)")
            .datasource(SOURCE)
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .include_all(True)
            .multi(True)
            .all_value(".*")
        )
    )
    for title, charts in ROWS.items():
        made = made.with_row(Row(title))
        for chart in charts:
            made = made.with_panel(_panel(chart))
    text: str = JSONEncoder(sort_keys=True, indent=2).encode(made.build())
    return text + "\n"


if __name__ == "__main__":
    PATH.write_text(dashboard())
