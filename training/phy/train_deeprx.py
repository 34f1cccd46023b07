"""Train DeepRx on the link twin: `python -m training.phy.train_deeprx --preset cpu`.

Every batch is a few random channels (class, delay spread, Doppler), SNRs, modulations and antennas. The loss is
what the bits lose of their mutual information, so that what is trained is what a decoder can use. Training goes on
where it was interrupted. At the end the receiver is compared with LS and LMMSE at the same pilots, on delay
spreads, Dopplers and seeds that it was not trained on, and written as a model package.
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
from training.phy.receiver_curves import RATE, compare
from twin.link.catalogue import ChannelClass, Estimator, Modulation
from twin.link.chain.channel import Channel
from twin.link.chain.detection import equaliser
from twin.link.chain.link import (
    DATA_SYMBOLS,
    Setup,
    complex_normal,
    effective_channel,
    information,
    observed,
    random_bits,
)
from twin.link.chain.mapping import modulate, points, square_llrs
from twin.link.receivers.deeprx import KIND, DeepRx, planes

CLASSES = (ChannelClass.TDL_A, ChannelClass.TDL_C, ChannelClass.TDL_D, ChannelClass.AWGN)
SPREADS = (3e-4, 0.05)
"""Delay spreads in symbols, drawn evenly on a logarithmic scale; Dopplers likewise, in cycles per symbol."""
DOPPLERS = (1e-4, 0.02)
SNRS_DB = (-6.0, 32.0)


@dataclass(frozen=True, slots=True)
class Config:
    """One training; `slots` PRBs in each of `links` random links make a batch."""

    steps: int
    links: int
    slots: int
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    warm_up: int = 100
    clip: float = 1.0
    seed: int = 1
    minutes: float = 60.0
    """Training ends at the latest after so long; the learning rate follows whichever comes first."""
    evaluation_slots: int = 256


PRESETS = {
    "smoke": Config(steps=20, links=2, slots=16, warm_up=5, evaluation_slots=16),
    "cpu": Config(steps=3000, links=4, slots=24, minutes=8.0, evaluation_slots=128),
    "gpu": Config(steps=20_000, links=8, slots=256, minutes=7.0, evaluation_slots=512),
}


def random_setup(draw: np.random.Generator) -> Setup:
    """A random link of one layer and one PRB."""

    def between(low: float, high: float) -> float:
        return float(math.exp(draw.uniform(math.log(low), math.log(high))))

    return Setup(
        channel=Channel(CLASSES[draw.integers(len(CLASSES))], between(*SPREADS), between(*DOPPLERS)),
        snr_db=float(draw.uniform(*SNRS_DB)),
        modulation=list(Modulation)[draw.integers(len(Modulation))],
        rx_antennas=int(draw.integers(1, 3)),
        estimator=Estimator.DEEPRX,
    )


def loss_of(network: DeepRx, setups: Sequence[Setup], slots: int, draw: torch.Generator) -> Tensor:
    """Mutual information lost per coded bit, over so many slots of each link.

    The network sees all links side by side: small kernels, one after the other, would hold a GPU up.
    """
    links = [_sent(setup, slots, draw, next(network.parameters()).device) for setup in setups]
    grids = [
        planes(link.grid, link.start, link.is_pilot, setup.noise, setup.modulation)
        for setup, link in zip(setups, links, strict=True)
    ]
    outs = network.body(torch.cat(grids)).chunk(len(links))
    data = torch.tensor(DATA_SYMBOLS, device=outs[0].device)
    lost = []
    for setup, link, out in zip(setups, links, outs, strict=True):
        found, error = network.estimate(link.start, setup.noise, out)
        linear = equaliser(found[:, data, ..., None], setup.noise + error[:, data], zero_forcing=False)
        llr = square_llrs(linear.apply(link.grid[:, data]), linear.variance, setup.modulation.bits)
        lost.append(1.0 - information(llr, link.bits).mean())
    return torch.stack(lost).mean()


@dataclass(frozen=True, slots=True, eq=False)
class _Sent:
    """A link's slots, of one PRB and layer, as `observed` tells them, and their bits."""

    grid: Tensor
    start: Tensor
    is_pilot: Tensor
    bits: Tensor


def _sent(setup: Setup, slots: int, draw: torch.Generator, device: torch.device) -> _Sent:
    bits = random_bits(setup, slots, draw, device)
    symbols = modulate(bits, points(setup.modulation.bits, device)).transpose(1, 2)
    channel = effective_channel(setup, slots, draw, device)
    data = torch.tensor(DATA_SYMBOLS, device=device)
    received = (channel[:, :, data] @ symbols[..., None]).squeeze(-1)
    received = received + complex_normal(received.shape, setup.noise, draw, device)
    return _Sent(*observed(setup, channel, draw, received), bits[:, :, 0])


def train(config: Config, device: torch.device, folder: Path, *, stop_after: int | None = None) -> DeepRx:
    """Train, going on from the checkpoint in `folder` where there is one; `stop_after` ends it earlier."""
    torch.manual_seed(config.seed)
    network = DeepRx().to(device)
    optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    checkpoint = folder / "deeprx.ckpt"
    first, spent_s, mean = 0, 0.0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        first, spent_s, mean = int(state["step"]), float(state["spent_s"]), float(state["mean"])
    began_s = time.monotonic() - spent_s
    for step in range(first, config.steps):
        elapsed_s = time.monotonic() - began_s
        done = max(step / config.steps, elapsed_s / (60.0 * config.minutes))
        if done >= 1.0:
            break
        rate = (
            config.learning_rate * min(1.0, (step + 1) / config.warm_up) * 0.5 * (1.0 + math.cos(math.pi * done))
        )
        for group in optimiser.param_groups:
            group["lr"] = rate
        # Draws depend on the step alone, so that a training that was interrupted goes on as it would have.
        links = np.random.default_rng((config.seed, step))
        draw = torch.Generator(device).manual_seed(config.seed * 1_000_003 + step)
        optimiser.zero_grad(set_to_none=True)
        setups = [random_setup(links) for _ in range(config.links)]
        loss = loss_of(network, setups, config.slots, draw)
        torch.autograd.backward(loss)
        total = loss.detach()
        torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip)
        optimiser.step()
        last = step + 1 in (config.steps, stop_after)
        if step % 50 == 49 or last:
            mean = float(total) if step < 50 else 0.9 * mean + 0.1 * float(total)
            print(f"step {step + 1:6} lost {mean:.4f} bit, {elapsed_s:.0f} s", flush=True)
            state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "step": step + 1}
            torch.save({**state, "spent_s": time.monotonic() - began_s, "mean": mean}, checkpoint)
        if last:
            break
    return network.eval()


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, compare, write the package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="cpu")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--minutes", type=float, help="end after so long")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--out", type=Path, default=Path("out/deeprx"), help="folder for all that is made")
    options = parser.parse_args(arguments)
    changes = {name: getattr(options, name) for name in ("minutes", "seed") if getattr(options, name) is not None}
    config = replace(PRESETS[options.preset], **changes)
    options.out.mkdir(parents=True, exist_ok=True)
    device = torch.device(options.device)
    network = train(config, device, options.out)
    with torch.no_grad():
        curves = compare(network, slots=config.evaluation_slots, device=device)
    (options.out / "curves.json").write_text(json.dumps([curve.row() for curve in curves], indent=1))
    draw_curves(curves, options.out / "deeprx_bler.png", f"Receivers at equal pilots, rate {RATE}")
    metrics = {f"gain_db_{rival}": Metric(*gain_db(curves, "deeprx", rival)) for rival in ("ls", "lmmse")}
    for name, metric in metrics.items():
        print(f"{name}: {metric.value:.2f} ({metric.low:.2f}..{metric.high:.2f})")
    manifest = Manifest(
        name="deeprx",
        version="1.0.0",
        kind=KIND,
        inputs={
            "received": "complex64 [n, symbols, subcarriers, rx], pilots sent as 1",
            "start": "complex64 [n, symbols, subcarriers, rx], least squares estimate",
            "pilot": "float32 [symbols, subcarriers]",
            "noise": "noise variance per resource element",
            "modulation": "qpsk, 16qam, 64qam or 256qam",
        },
        outputs={
            "channel": "complex64 [n, symbols, subcarriers, rx]",
            "error": "float32 [n, symbols, subcarriers], variance of its error",
        },
        training=asdict(config),
        metrics=metrics,
    )
    package(network, manifest, options.out / "package")


if __name__ == "__main__":
    main()
