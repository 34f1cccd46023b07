"""Train DeepTx on the link twin: `python -m training.phy.train_deeptx`.

A code gets through when the mutual information of its block exceeds its rate. So for each code rate the
constellation is trained where square QAM carries about as much, on the SNRs of one block: those that the twin's
channels, estimators and equalisers leave from resource element to resource element. Over each of them the noise is
integrated, not drawn. The loss is what the bits lose of their mutual information. Training goes on where it was
interrupted. At the end the transmitter is compared with square QAM on links that it was not trained on, and
written as a model package.
"""

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from oran.model_package import Manifest, Metric
from training.phy.curves import draw_curves, gain_db
from training.phy.packaging import package
from training.phy.train_deeprx import random_setup
from training.phy.transmitter_curves import CASES, compare
from twin.link.catalogue import Estimator
from twin.link.chain.detection import equaliser
from twin.link.chain.link import effective_channel, estimate
from twin.link.chain.mapping import awgn_information, points
from twin.link.transmitters.deeptx import KIND, SIZES, DeepTx

LOWEST_RATE, HIGHEST_RATE = 0.08, 0.92
SNRS_DB = torch.arange(-20.0, 40.0, 0.5)
MARGIN_DB = 1.0
"""Blocks are trained at most so far from where square QAM carries the code rate."""


@dataclass(frozen=True, slots=True)
class Config:
    """One training; a step takes `elements` resource elements of one block for each constellation."""

    steps: int
    elements: int = 6
    blocks: int = 400
    learning_rate: float = 3e-3
    seed: int = 1
    evaluation_slots: int = 400


PRESETS = {"smoke": Config(steps=60, blocks=8, evaluation_slots=24), "cpu": Config(steps=5000)}


def block_fades_db(blocks: int, seed: int) -> Tensor:
    """SNRs after equalisation within blocks, less their mean in dB, float32 [blocks, resource elements]."""
    links = np.random.default_rng(seed)
    draw = torch.Generator().manual_seed(seed)
    rows = []
    for number in range(blocks):
        estimator = (None, Estimator.LS, Estimator.LMMSE)[number % 3]
        setup = replace(random_setup(links), estimator=estimator)
        channel = effective_channel(setup, 1, draw, torch.device("cpu"))
        found, variance = estimate(setup, channel, draw)
        snr_db = -10.0 * equaliser(found, variance, zero_forcing=False).variance.flatten().log10()
        rows.append(snr_db - snr_db.mean())
    return torch.stack(rows)


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """Where square QAM carries a code rate over AWGN."""

    information: dict[int, np.ndarray]

    @classmethod
    def of_qam(cls) -> "Operation":
        """Of the constellations that DeepTx stands in for."""
        device = torch.device("cpu")
        return cls({bits: awgn_information(points(bits, device), SNRS_DB).numpy() for bits in SIZES})

    def snr_db(self, bits: int, rate: float) -> float:
        """The SNR in dB."""
        return float(np.interp(rate, self.information[bits], SNRS_DB.numpy()))


def train(config: Config, folder: Path, *, stop_after: int | None = None) -> DeepTx:
    """Train, going on from the checkpoint in `folder` where there is one; `stop_after` ends it earlier."""
    torch.manual_seed(config.seed)
    network = DeepTx()
    optimiser = torch.optim.Adam(network.parameters(), config.learning_rate)
    fades_db, operation = block_fades_db(config.blocks, config.seed), Operation.of_qam()
    checkpoint = folder / "deeptx.ckpt"
    first, mean = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        first, mean = int(state["step"]), float(state["mean"])
    began_s = time.monotonic()
    for step in range(first, config.steps):
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * step / config.steps))
        # Draws depend on the step alone, so that a training that was interrupted goes on as it would have.
        draw = np.random.default_rng((config.seed, step))
        lost = torch.zeros(())
        for bits in SIZES:
            rate = float(draw.uniform(LOWEST_RATE, HIGHEST_RATE))
            block = fades_db[draw.integers(len(fades_db)), draw.integers(fades_db.shape[1], size=config.elements)]
            level_db = operation.snr_db(bits, rate) + float(draw.uniform(-MARGIN_DB, MARGIN_DB))
            lost = lost + 1.0 - awgn_information(network(bits, rate), level_db + block).mean()
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(lost)
        optimiser.step()
        value = float(lost.detach())
        mean = value if step == 0 else 0.99 * mean + 0.01 * value
        last = step + 1 in (config.steps, stop_after)
        if step % 250 == 249 or last:
            print(
                f"step {step + 1:6} lost {mean / len(SIZES):.4f} bit, {time.monotonic() - began_s:.0f} s",
                flush=True,
            )
            state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "step": step + 1}
            torch.save({**state, "mean": mean}, checkpoint)
        if last:
            break
    return network.eval()


def flat_gains_db(network: DeepTx) -> dict[str, float]:
    """How much less SNR than square QAM the learnt points need to carry a code rate over AWGN, by integration."""
    operation, gains = Operation.of_qam(), {}
    for bits in SIZES:
        for rate in (0.2, 0.5, 0.8):
            with torch.no_grad():
                learnt = awgn_information(network(bits, rate), SNRS_DB).numpy()
            needed_db = float(np.interp(rate, learnt, SNRS_DB.numpy()))
            gains[f"{1 << bits} points, rate {rate:g}"] = operation.snr_db(bits, rate) - needed_db
    return gains


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, compare, write the package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="cpu")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("out/deeptx"), help="folder for all that is made")
    options = parser.parse_args(arguments)
    config = replace(PRESETS[options.preset], seed=options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    network = train(config, options.out)
    for name, gain in flat_gains_db(network).items():
        print(f"flat, {name}: {gain:.2f} dB")
    curves = compare(network, slots=config.evaluation_slots)
    (options.out / "curves.json").write_text(json.dumps([curve.row() for curve in curves], indent=1))
    draw_curves(curves, options.out / "deeptx_bler.png", "Transmitters at equal receivers")
    for case in CASES:
        some = [curve for curve in curves if curve.case == case]
        print("{}: {:.2f} ({:.2f}..{:.2f}) dB".format(case, *gain_db(some, "deeptx", "qam")))
    metric = Metric(*gain_db(curves, "deeptx", "qam"))
    print(f"gain_db_qam: {metric.value:.2f} ({metric.low:.2f}..{metric.high:.2f})")
    manifest = Manifest(
        name="deeptx",
        version="1.0.0",
        kind=KIND,
        inputs={"bits": "bits per symbol, 4 or 6", "rate": "code rate"},
        outputs={"points": "complex64 [2^bits] by label, mean power 1"},
        training=asdict(config),
        metrics={"gain_db_qam": metric},
    )
    package(network, manifest, options.out / "package")


if __name__ == "__main__":
    main()
