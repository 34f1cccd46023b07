"""A trained model goes on at any stage, with its owner's tasks beside the generator's and a calibrated twin."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ranloop.cli import app
from rapps.orchestrator import task as served
from rapps.orchestrator.task import USUAL_EQUIPMENT as USUAL
from tests.training.orchestrator import packaged
from tests.training.orchestrator.small import made
from training.orchestrator.continuing import OWN, Both, Own, verified
from training.orchestrator.errors import OrchestratorError, StageError
from training.orchestrator.lm import Lm
from training.orchestrator.pipeline import DONE, MODEL, REJECTION, Material, Pipeline, Tell
from training.orchestrator.presets import OrchestratorConfig
from training.orchestrator.rejection import KEPT, RejectionConfig
from training.orchestrator.rldtf import RldtfConfig
from training.orchestrator.supervised import CURVE, Row
from training.orchestrator.tasks.feasibility import share_of_chains
from training.orchestrator.tasks.generator import draw
from training.orchestrator.validation import PROBES, Validation, feasible_seeds
from twin.link.calibration import Calibration
from twin.link.catalogue import ChannelClass
from twin.link.demand import Demand

EASY = Demand(max_delay_s=0.05, min_throughput_bps=2e6, max_ber=1e-3)


def written(folder: Path, count: int = 10) -> Path:
    """A file of an owner's tasks, the odd ones explicit."""
    texts = ("pictures from the crane, like last week", "2 Mbit/s from the crane within 50 ms, BER 1e-3")
    lines = [
        served.Task(text=f"{texts[place % 2]}, please", demand=EASY, equipment=USUAL).to_json()
        for place in range(count)
    ]
    path = folder / "own.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_an_owner_s_tasks_come_at_their_share_and_the_generator_s_beside_them(tmp_path: Path) -> None:
    for share in (0.2, 0.7, 1.0):
        own = Own.read(written(tmp_path), share)
        drawn = [own.task(number) for number in range(2_000)]
        mine = [task for task in drawn if task.service == OWN]
        assert len(mine) / len(drawn) == pytest.approx(share, abs=0.04)
        assert all(task == draw(number) for number, task in enumerate(drawn) if task.service != OWN)
        assert drawn == [own.task(number) for number in range(2_000)]
        assert set(own.learnt) == set(mine)


def test_some_are_held_back_to_validate_with_where_there_are_enough(tmp_path: Path) -> None:
    texts = [f"{number} Mbit/s within 50 ms, BER 1e-3" for number in range(1, 12)]
    path = tmp_path / "own.jsonl"
    for count, held_back in ((4, texts[:4]), (5, texts[4:5]), (11, [texts[4], texts[9]])):
        path.write_text(
            "\n".join(served.Task(text=text, demand=EASY, equipment=USUAL).to_json() for text in texts[:count])
        )
        own = Own.read(path, 0.5)
        assert [task.text for task in own.held_back] == held_back
        assert len(own.learnt) == (count if count < 5 else count - len(held_back))


def test_what_a_text_states_is_known(tmp_path: Path) -> None:
    own = Own.read(written(tmp_path), 0.5)
    assert {(task.explicit, "50 ms" in task.text) for task in own.learnt} == {(True, True), (False, False)}


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ("", "has no task"),
        ('{"text": "5 ms"}', "task 1: demand or equipment is missing"),
        ("{", "line 1: this is not JSON"),
        (
            served.Task(text="x", demand=EASY, equipment=replace(USUAL, free_prbs=1, compute_flops=1e6)).to_json(),
            "task 1: .*no link chain fits the equipment",
        ),
    ],
)
def test_a_file_that_nothing_can_be_learnt_from_is_refused(told: str, wrong: str, tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(told)
    with pytest.raises(StageError, match=wrong):
        Own.read(path, 0.5)


def test_models_are_compared_on_both_in_their_shares() -> None:
    own = {"validated": 0.2, "validated reward": 0.0}
    both = Both(lambda lm: {"validated": 0.8, "validated reward": 0.4, "understood": 0.5}, lambda lm: own, 0.25)
    assert both(made()) == {
        "validated": pytest.approx(0.65),
        "validated reward": pytest.approx(0.3),
        "validated general": 0.8,
        "validated own": 0.2,
        "understood": 0.5,
    }


def test_a_package_that_was_changed_is_no_foundation(tmp_path: Path) -> None:
    package = packaged.write(tmp_path / "package")
    assert Lm.load(verified(str(package))).digest() == packaged.lm().digest()
    weights = package / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(StageError, match=r"model\.safetensors"):
        verified(str(package))


SMALL = OrchestratorConfig(
    name="small",
    foundation="unused",
    begin="rejection",
    rejection=RejectionConfig(rounds=1, tasks=8, each=6, batch=8, epochs=1),
    rldtf=RldtfConfig(steps=3, tasks=4, each=4, minibatches=2, validate_every=1, checkpoint_every=1),
    validation=8,
)


@pytest.fixture(scope="module")
def foundation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("foundation")
    made().save(folder)
    return folder


def pipeline(foundation: Path, folder: Path, own: Own | None, tell: Tell = lambda stage, row: None) -> Pipeline:
    config = replace(SMALL, foundation=str(foundation))
    material = Material((), lambda number: ("What is a PRB?", "It has 12 subcarriers.", str(number)))
    return Pipeline(config, folder, material, tell, own=own)


def curve(folder: Path) -> list[Row]:
    """What was seen of each step of RLDTF, but for the times."""
    rows = [json.loads(line) for line in (folder / "rldtf" / CURVE).read_text().splitlines()]
    return [{name: row[name] for name in row if not name.endswith("_s")} for row in rows]


@pytest.fixture(scope="module")
def continued(foundation: Path, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A training that went on from rejection sampling, half of it on its owner's tasks."""
    folder = tmp_path_factory.mktemp("continued")
    made = pipeline(foundation, folder / "run", Own.read(written(folder), 0.5))
    made.run()
    return made


def test_stages_before_the_first_are_left_out(continued: Pipeline) -> None:
    found = {path.name for path in continued.folder.iterdir()}
    assert found == {"foundation", "rejection", "rldtf", "validation.json"}


def test_a_training_that_was_killed_goes_on_as_if_nothing_had_happened(
    foundation: Path, continued: Pipeline, tmp_path: Path
) -> None:
    def killed(stage: str, row: Row) -> None:
        if stage == "rldtf" and row["step"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline(foundation, tmp_path, continued.own, killed).run()
    assert not (tmp_path / "rldtf" / DONE).exists()
    found = pipeline(foundation, tmp_path, continued.own).run()
    assert found.digest() == Lm.load(continued.folder / "rldtf" / MODEL).digest()
    assert curve(tmp_path) == curve(continued.folder)


def test_both_kinds_of_tasks_are_learnt_from(foundation: Path, continued: Pipeline, tmp_path: Path) -> None:
    kept = json.loads((continued.folder / "rejection" / "round-1" / KEPT).read_text())["pairs"]
    first = REJECTION + SMALL.rejection.tasks
    services = [continued.task(first + place).service for place, _ in kept]
    assert 0 < services.count(OWN) < len(services)
    pipeline(foundation, tmp_path, None).run("rejection")
    alone, both = (Lm.load(folder / "rejection" / "round-1") for folder in (tmp_path, continued.folder))
    assert alone.digest() != both.digest()


def test_no_stage_leaves_a_model_that_completes_less_of_both_than_it_began_with(
    foundation: Path, continued: Pipeline
) -> None:
    before = continued.validation(Lm.load(foundation))["validated"]
    for stage in continued.stages[1:]:
        figures = json.loads((continued.folder / stage / DONE).read_text())
        assert figures["validated"] >= before
        assert figures["validated"] == pytest.approx((figures["validated general"] + figures["validated own"]) / 2)
        before = figures["validated"]


def test_a_stage_before_the_first_cannot_be_had(foundation: Path, tmp_path: Path) -> None:
    with pytest.raises(StageError, match="instruction is before rejection"):
        pipeline(foundation, tmp_path, None).run("instruction")
    unknown = Pipeline(replace(SMALL, begin="late"), tmp_path, Material((), lambda number: ("", "", "")), print)
    with pytest.raises(StageError, match="begin is 'late'; it must be one of pretraining"):
        unknown.run()


@pytest.mark.parametrize("change", [{"own_share": 0.0}, {"own_share": 1.1}, {"foundation": None}])
def test_a_config_that_cannot_be_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(OrchestratorError, match=r"must|needs"):
        replace(SMALL, **change)  # type: ignore[arg-type]


def test_training_and_validation_are_on_calibrated_links(foundation: Path, tmp_path: Path) -> None:
    calibration = Calibration(dict.fromkeys(ChannelClass, -12.0))
    seeds = feasible_seeds(6, tmp_path / "harder.json", calibration)
    assert seeds != feasible_seeds(6, tmp_path / "usual.json")
    for seed in seeds:
        task = draw(seed)
        assert share_of_chains(replace(task, equipment=calibration.applied(task.equipment)), PROBES) > 0
    usual = pipeline(foundation, tmp_path / "run", None)
    harder = replace(usual, calibration=calibration)
    for number in range(8):
        before, after = usual.task(number), harder.task(number)
        assert after == replace(before, equipment=calibration.applied(before.equipment))
    assert isinstance(harder.validation, Validation)
    assert [task.equipment for task in harder.validation.tasks] == [
        calibration.applied(draw(task.seed).equipment) for task in harder.validation.tasks
    ]


@pytest.mark.slow
def test_the_command_goes_on_from_a_package_with_its_owner_s_tasks(tmp_path: Path) -> None:
    calibration = tmp_path / "calibration.json"
    calibration.write_text('{"snr_offset_db": {"tdl_c": -1.0}}')
    options = ["--preset", "smoke", "--foundation", str(packaged.write(tmp_path / "package")), "--begin", "rldtf"]
    mine = ["--tasks", str(written(tmp_path)), "--own-share", "0.4", "--calibration", str(calibration)]
    command = ["train", "orchestrator", *options, *mine, "--twin-workers", "1", "--out", str(tmp_path / "run")]
    found = CliRunner().invoke(app, command)
    assert found.exit_code == 0, found.output
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert left == {"foundation", "rldtf", "validation.json", "record.json"}
    rows = [json.loads(line) for line in (tmp_path / "run" / "rldtf" / "curve.jsonl").read_text().splitlines()]
    assert all(row["lost"] == 0.0 for row in rows)
    assert any("disagree_t1" in row for row in rows)
