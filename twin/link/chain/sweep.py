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
from twin.link.chain.detection import Spectrum, equaliser
from twin.link.chain.ensemble import (
    Regression,
    at_points,
    carried,
    channels,
    informations_at,
    look,
    prbs_apart,
    snr_behind_db,
)
from twin.link.chain.link import (
    DATA_SYMBOLS,
    Setup,
    complex_normal,
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
        spectrum = Spectrum.of(many * many.shape[-1] ** -0.5)
        found = []
        for s, snr_db in enumerate(self.snrs_db):
            noise = self.setup.at(float(snr_db)).noise
            levels_db = [
                -10.0 * spectrum.variance_behind(noise, zero_forcing=detector is Detector.ZF).log10()
                for detector in self.detectors
            ]
            known = [
                torch.stack([carries.mean((-1, -2)) for carries in informations_at(level_db, Modulation)])
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
    prbs: int,
    draw: torch.Generator,
) -> Sweep:
    """Run linear receivers twice on so many PRBs; they share the channels, and the noise but for its strength."""
    device = draw.device
    channel = _prbs(setup, prbs, draw).repeat(2, 1, 1, 1, 1, 1)
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
                fits.append(Regression.fit(known.reshape(2, -1), got.reshape(2, -1), sampling_variance))
    shape = (len(estimators), len(snrs_db), len(detectors), len(Modulation))
    return Sweep(setup, detectors, snrs_db, Regression.stack(fits, shape))


@torch.no_grad()
def learnt_sweep(setup: Setup, *, snrs_db: Sequence[float], prbs: int, draw: torch.Generator) -> Sweep:
    """Run DeepRx twice on so many PRBs, the same for all SNRs. Sweep's first and third axes are of one each."""
    channel = _prbs(setup, prbs, draw)
    state = draw.get_state()
    fits = []
    for snr_db, modulation in product(snrs_db, Modulation):
        draw.set_state(state)
        made = replace(setup, snr_db=float(snr_db), modulation=modulation)
        fits.append(look(made, channel, draw))
    return Sweep(setup, (setup.detector,), snrs_db, Regression.stack(fits, (1, len(snrs_db), 1, len(Modulation))))


def _prbs(setup: Setup, count: int, draw: torch.Generator) -> Tensor:
    """Channels of PRBs by how strong they are, for a PRB that is strong at one SNR is as a weak one at another."""

    def level(few: Tensor) -> Tensor:
        return snr_behind_db(few, setup.noise, setup.detector).mean((1, 2, 3))

    return prbs_apart(setup, count, level, draw)
