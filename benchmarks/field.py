"""Operators' traces beside the network twin: a section and two panels of the report on how true the twin is."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from twin.network.operators import BINS_DB, Relation, field_relation, twin_relation
from twin.network.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SATURATED_DB = 15.0
"""From this SNR on a UE's rate is taken for the most that its cell gives."""
TITLE = "## The field beside the twin"
HOW_TO_ADD = (
    "Not run. `--traces PATH` adds it: a zip archive of CSV files with columns NetworkMode, SNR, CQI and "
    "DL_bitrate, as the 5G data set of Raca et al. (2020) has them."
)
CAVEATS = """Rates are 90 % quantiles, over their mean from 15 dB on: bandwidth, layers and load of the field are
unknown, so that only the shape can be compared. What differs, and what may be why:

- The field's curve is nearly flat: at low SNR phones report a far higher CQI, and get a far larger share of their
  best rate, than a UE of the twin with one layer and one antenna at that SINR. What the phone calls SNR is
  measured on reference signals, in 5G non-standalone mode perhaps on the LTE anchor, and is not the SINR behind
  the receiver on the PRBs that carry data; phones have up to four antennas, and cells form beams for data but not
  for all of those signals. None of this can be told apart in the data: it does **not** confirm the twin's curve.
- CQI tables differ: index 15 is 64QAM in one and 256QAM in another, and which was in use is not in the data.
- Above 15 dB the field's rate scatters by a factor of two with load; the twin's cell is empty but for one UE."""


def section(traces: Path | None) -> tuple[list[str], tuple[Relation, Relation] | None, dict[str, float]]:
    """The section's lines, the field's relation and the twin's, and figures; without traces how to add them."""
    if traces is None:
        return [TITLE, HOW_TO_ADD], None, {}
    field, twin = field_relation(traces), twin_relation(Scenario())
    middle_db = (BINS_DB[:-1] + BINS_DB[1:]) / 2.0
    shares = [_share(item, middle_db) for item in (field, twin)]
    known = ~(np.isnan(field.cqi) | np.isnan(twin.cqi))
    agreement = float(np.corrcoef(field.cqi[known], twin.cqi[known])[0, 1])
    lines = [
        TITLE,
        f"{int(field.samples.sum()):,} samples of a network in 5G mode (`{traces.name}`), and a UE alone in a "
        "cell of the default scenario at every SNR.",
        "",
        "| SNR dB | samples | CQI, field | CQI, twin | rate / best, field | rate / best, twin |",
        "|---|---|---|---|---|---|",
        *(
            f"| {low:g} to {high:g} | {count:.0f} | {cqi:.0f} | {own:.0f} | {share:.2f} | {own_share:.2f} |"
            for low, high, count, cqi, own, share, own_share in zip(
                BINS_DB[:-1], BINS_DB[1:], field.samples, field.cqi, twin.cqi, *shares, strict=True
            )
        ),
        "",
        f"Over these bins both CQIs rise together with a correlation of {agreement:.2f}. {CAVEATS}",
    ]
    figures = {"field_cqi_correlation": agreement, "field_cqi_difference": float(np.nanmean(field.cqi - twin.cqi))}
    return lines, (field, twin), figures


def _share(item: Relation, middle_db: np.ndarray) -> np.ndarray:
    found: np.ndarray = item.rate_bps / np.nanmean(item.rate_bps[middle_db > SATURATED_DB])
    return found


def panels(cqi: "Axes", rate: "Axes", field: Relation, twin: Relation) -> None:
    """Draw both relations."""
    middle_db = (BINS_DB[:-1] + BINS_DB[1:]) / 2.0
    for name, item, style in (("field", field, "o"), ("twin", twin, "-")):
        cqi.plot(middle_db, item.cqi, style, label=name)
        rate.plot(middle_db, _share(item, middle_db), style, label=name)
    for axis, title, label in ((cqi, "Operator's CQI", "CQI"), (rate, "Operator's rate / best", "rate / best")):
        axis.set_title(title, fontsize=9)
        axis.set_ylabel(label)
        axis.grid(alpha=0.3)
    cqi.legend()
