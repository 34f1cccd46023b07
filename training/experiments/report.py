"""Report: the page of an experiment from the runs that have a result, and the index of all pages."""

from pathlib import Path

from training.experiments.experiment import Experiment, Findings
from training.experiments.page import machine, today, write

INDEX = "## Pages"
SHORT = 8
"""Runs named as missing; the others are counted."""


def report(findings: Findings, out: Path) -> Path:
    """Write the experiment's page into `out`; its path."""
    experiment = findings.experiment
    page = experiment.tell(findings)
    path = write(
        page, out, name=experiment.name, title=experiment.title, about=experiment.about, facts=_facts(findings)
    )
    index(out)
    return path


def index(out: Path) -> None:
    """List the pages that are there in README.md, whose other parts stay."""
    path = out / "README.md"
    text = path.read_text(encoding="utf-8") if path.exists() else "# Results of the experiments\n"
    head = text.partition(f"{INDEX}\n")[0].rstrip()
    lines = []
    for page in sorted(out.glob("*.md")):
        if page.name != "README.md":
            title, _, rest = page.read_text(encoding="utf-8").removeprefix("# ").partition("\n\n")
            lines.append(f"- [{title}]({page.name}): {rest.partition(chr(10))[0]}")
    path.write_text(f"{head}\n\n{INDEX}\n" + "\n".join(lines) + "\n", encoding="utf-8")


def command(experiment: Experiment, episodes: int, seeds: int) -> str:
    """What runs an experiment as it was planned."""
    words = f"ranloop experiment {experiment.name}"
    if seeds != experiment.seeds:
        words += f" --seeds {seeds}"
    return words if episodes == experiment.episodes else f"{words} --episodes {episodes}"


def _facts(findings: Findings) -> list[str]:
    experiment, planned = findings.experiment, findings.planned
    seeds = max((run.task.seed for run in planned), default=experiment.seeds)
    episodes = {run.task.episodes for run in planned} or {experiment.episodes}
    facts = [
        f"`{command(experiment, min(episodes), seeds)}` (goes on where it was interrupted; `--report` writes this "
        "page alone).",
        f"Training seeds 1..{seeds}, {min(episodes)} {experiment.lasting} each. {today()}, {machine()}.",
    ]
    if missing := [str(run) + (f" ({run.failure})" if run.failure else "") for run in findings.missing]:
        more = f" and {len(missing) - SHORT} more" if len(missing) > SHORT else ""
        facts.append(
            f"Not run: {len(missing)} of {len(planned)} runs: {'; '.join(missing[:SHORT])}{more}. "
            "The same command runs them."
        )
    if online := [arm.name for arm in experiment.arms if not arm.offline]:
        facts.append(f"Only when named by `--only`, since they need a connection: {', '.join(online)}.")
    return facts
