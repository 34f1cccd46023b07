"""Many receivers, modulations and SNRs over the same channels: what tables are made of, at a tenth of the time."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import torch
from torch import Tensor

from twin.link.catalogue import Detector, Estimator, Modulation
from twin.link.chain.detection import equaliser
from twin.link.chain.link import DATA_SYMBOLS, Setup, complex_normal, effective_channel, estimate, information
from twin.link.chain.mapping import modulate, points, square_llrs


def linear_sweep(
    setup: Setup,
    *,
    estimators: Sequence[Estimator],
    detectors: Sequence[Detector],
    snrs_db: Sequence[float],
    slots: int,
    seed: int,
    device: torch.device | None = None,
) -> np.ndarray:
    """GMI per coded bit, float64 [estimators, detectors, modulations, SNRs, slots], of linear detectors.

    All see the same channels, and the same noise but for its strength.
    """
    device = device or torch.device("cpu")
    draw = torch.Generator(device).manual_seed(seed)
    channel = effective_channel(setup, slots, draw, device)
    data = torch.tensor(DATA_SYMBOLS, device=device)
    true = channel[:, :, data] * setup.layers**-0.5
    noise = complex_normal(true.shape[:-1], 1.0, draw, device)
    state = draw.get_state()
    sent: list[tuple[Tensor, Tensor]] = []
    for modulation in Modulation:
        shape = (*true.shape[:-2], setup.layers, modulation.bits)
        bits = torch.randint(0, 2, shape, generator=draw, device=device)
        sent.append((bits, (true @ modulate(bits, points(modulation.bits, device))[..., None]).squeeze(-1)))
    found = np.zeros((len(estimators), len(detectors), len(Modulation), len(snrs_db), slots))
    for (e, estimator), (s, snr_db) in product(enumerate(estimators), enumerate(snrs_db)):
        made = replace(setup, estimator=estimator, snr_db=float(snr_db))
        draw.set_state(state)
        seen, variance = estimate(made, channel, draw)
        for d, detector in enumerate(detectors):
            linear = equaliser(seen, variance, zero_forcing=detector is Detector.ZF)
            for m, (modulation, (bits, signal)) in enumerate(zip(Modulation, sent, strict=True)):
                received = signal + noise * made.noise**0.5
                llr = square_llrs(linear.apply(received), linear.variance, modulation.bits)
                found[e, d, m, s] = information(llr, bits)[:, 0].clamp(0.0, 1.0).cpu().numpy()
    return found
