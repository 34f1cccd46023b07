"""Many receivers, modulations and SNRs over the same channels: what tables are made of, at a tenth of the time.

As T1, in two phases (`twin.link.chain.ensemble`): receivers are run on some PRBs, which tell what they get of
thousands of channels over allocations of any width.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import torch
from torch import Tensor

from twin.link.catalogue import Detector, Estimator, Modulation
from twin.link.chain.detection import equaliser
from twin.link.chain.ensemble import (
    Regression,
    at_points,
    carried,
    channels,
    information_at,
    look,
    snr_behind_db,
)
from twin.link.chain.link import (
    DATA_SYMBOLS,
    Setup,
    complex_normal,
    effective_channel,
    estimate,
    information_by_prb,
)
from twin.link.chain.mapping import modulate, points, square_llrs


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Receivers that were run: the setup that they share, their SNRs, and what each gets of a PRB.

    `regression` is of [estimators, SNRs, detectors, modulations].
    """

    setup: Setup
    detectors: Sequence[Detector]
    snrs_db: Sequence[float]
    regression: Regression

    def information(self, prbs: int, count: int, draw: torch.Generator) -> Tensor:
        """GMI per coded bit over so many channels and an allocation of so many PRBs, in rising order.

        float32 [estimators, detectors, modulations, SNRs, channels].
        """
        many = channels(self.setup, prbs, count, draw)
        state = draw.get_state()
        found = []
        for s, snr_db in enumerate(self.snrs_db):
            levels_db = [
                snr_behind_db(many, self.setup.at(float(snr_db)).noise, detector) for detector in self.detectors
            ]
            known = [
                torch.stack([information_at(level_db, modulation).mean((-1, -2)) for modulation in Modulation])
                for level_db in levels_db
            ]
            draw.set_state(state)
            got = self.regression[:, s].slots(torch.stack(known), self.setup.channel, prbs, draw)
            found.append(got.sort(-1).values)
        return torch.stack(found, dim=-2)


@torch.no_grad()
def linear_sweep(
    setup: Setup,
    *,
    estimators: Sequence[Estimator],
    detectors: Sequence[Detector],
    snrs_db: Sequence[float],
    slots: int,
    draw: torch.Generator,
) -> Sweep:
    """Run linear receivers on so many slots; they share the channels, and the noise but for its strength."""
    device = draw.device
    channel = effective_channel(setup, slots, draw, device)
    data = torch.tensor(DATA_SYMBOLS, device=device)
    true = channel[:, :, data] * setup.layers**-0.5
    noise = complex_normal(true.shape[:-1], 1.0, draw, device)
    sent: list[tuple[Tensor, Tensor]] = []
    for modulation in Modulation:
        shape = (*true.shape[:-2], setup.layers, modulation.bits)
        bits = torch.randint(0, 2, shape, generator=draw, device=device)
        sent.append((bits, (true @ modulate(bits, points(modulation.bits, device))[..., None]).squeeze(-1)))
    state = draw.get_state()
    few = at_points(channel)
    fits = []
    for estimator, snr_db in product(estimators, snrs_db):
        made = replace(setup, estimator=estimator, snr_db=float(snr_db))
        draw.set_state(state)
        seen, variance = estimate(made, channel, draw)
        for detector in detectors:
            linear = equaliser(seen, variance, zero_forcing=detector is Detector.ZF)
            for modulation, (bits, signal) in zip(Modulation, sent, strict=True):
                llr = square_llrs(linear.apply(signal + noise * made.noise**0.5), linear.variance, modulation.bits)
                got, sampling_variance = information_by_prb(llr.transpose(1, 2), bits.transpose(1, 2))
                known = carried(few, made.noise, detector, modulation).mean(-1)
                fits.append(Regression.fit(known.flatten(), got.flatten(), sampling_variance))
    shape = (len(estimators), len(snrs_db), len(detectors), len(Modulation))
    return Sweep(setup, detectors, snrs_db, Regression.stack(fits, shape))


@torch.no_grad()
def learnt_sweep(setup: Setup, *, snrs_db: Sequence[float], slots: int, draw: torch.Generator) -> Sweep:
    """Run DeepRx on so many slots: all see the same channels. Sweep's first and third axes are of one each."""
    channel = effective_channel(setup, slots, draw, draw.device)
    state = draw.get_state()
    fits = []
    for snr_db, modulation in product(snrs_db, Modulation):
        draw.set_state(state)
        made = replace(setup, snr_db=float(snr_db), modulation=modulation)
        fits.append(look(made, channel, draw))
    return Sweep(setup, (setup.detector,), snrs_db, Regression.stack(fits, (1, len(snrs_db), 1, len(Modulation))))
