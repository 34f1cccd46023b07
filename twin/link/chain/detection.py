"""Detection of layers: from received vectors and estimated channels to each layer's bits."""

from dataclasses import dataclass

import torch
from torch import Tensor

from twin.link.catalogue import Detector
from twin.link.chain.mapping import llrs, square_llrs

LEAST_VARIANCE = 1e-9
EP_ITERATIONS = 10
KBEST_PATHS = 64


@dataclass(frozen=True, slots=True)
class Equaliser:
    """Linear detection without bias: a matrix [..., layers, rx], and the variance of what noise it leaves."""

    matrix: Tensor
    variance: Tensor
    """[..., layers], for layers of power 1."""

    def apply(self, received: Tensor) -> Tensor:
        """Each layer's symbol plus noise [..., layers] of received vectors [..., rx]."""
        found: Tensor = (self.matrix @ received[..., None]).squeeze(-1)
        return found


def equaliser(channel: Tensor, noise: Tensor, *, zero_forcing: bool) -> Equaliser:
    """The equaliser of channels [..., rx, layers] in noise of variance [...]."""
    noise = noise.clamp(min=LEAST_VARIANCE)[..., None]
    inverse = _inverse_gram(channel, noise, zero_forcing=zero_forcing)
    spread = inverse.diagonal(dim1=-2, dim2=-1).real
    if not zero_forcing:
        inverse = inverse / _gain(noise, spread)[..., None]
    # A product of matrices takes longer where one of them is a number.
    matrix = inverse * channel.mH if channel.shape[-1] == 1 else inverse @ channel.mH
    return Equaliser(matrix, _left(noise, spread, zero_forcing=zero_forcing))


def variance_behind(channel: Tensor, noise: Tensor, *, zero_forcing: bool) -> Tensor:
    """The variance of what noise that equaliser leaves [..., layers]; the equaliser itself is not made."""
    noise = noise.clamp(min=LEAST_VARIANCE)[..., None]
    spread = _inverse_gram(channel, noise, zero_forcing=zero_forcing).diagonal(dim1=-2, dim2=-1).real
    return _left(noise, spread, zero_forcing=zero_forcing)


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """What the layers of channels are to each other, found once, to be asked about many strengths of noise."""

    power: Tensor
    """Of each mode [modes, ...]."""
    share: Tensor
    """Of each layer in each mode [modes, ..., layers]."""

    @classmethod
    def of(cls, channel: Tensor) -> "Spectrum":
        """Of channels [..., rx, layers]."""
        if channel.shape[-1] == 1:
            power = torch.view_as_real(channel).square().sum((-1, -3))
            return cls(power.movedim(-1, 0), torch.ones_like(power)[None])
        power, modes = torch.linalg.eigh(channel.mH @ channel)
        share = torch.view_as_real(modes).square().sum(-1)
        return cls(power.clamp(min=0.0).movedim(-1, 0).contiguous(), share.movedim(-1, 0).contiguous())

    def variance_behind(self, noise: float, *, zero_forcing: bool) -> Tensor:
        """As the function of that name, in noise of one strength."""
        noise = max(noise, LEAST_VARIANCE)
        ridge = LEAST_VARIANCE if zero_forcing else noise
        spread = (self.share / (self.power + ridge)[..., None]).sum(0)
        return _left(torch.tensor(noise), spread, zero_forcing=zero_forcing)


def _inverse_gram(channel: Tensor, noise: Tensor, *, zero_forcing: bool) -> Tensor:
    """Inverse of what the layers are to each other [..., layers, layers], noise [..., 1] taken in or not."""
    # The smallest ridge keeps a singular channel from ending in NaN; its layers get a huge variance instead.
    ridge = torch.full_like(noise, LEAST_VARIANCE) if zero_forcing else noise
    if channel.shape[-1] == 1:
        power = torch.view_as_real(channel).square().sum((-1, -3))
        return (power + ridge).reciprocal()[..., None].to(channel.dtype)
    gram = channel.mH @ channel
    return hermitian_inverse(gram + torch.diag_embed(ridge.expand(*gram.shape[:-1])))


def _gain(noise: Tensor, spread: Tensor) -> Tensor:
    """How much of a layer's symbol is left by LMMSE before its bias is taken out [..., layers]."""
    return (1.0 - noise * spread).clamp(min=LEAST_VARIANCE)


def _left(noise: Tensor, spread: Tensor, *, zero_forcing: bool) -> Tensor:
    """The variance of the noise that is left, by the diagonal of the inverse [..., layers]."""
    if zero_forcing:
        return (noise * spread).clamp(min=LEAST_VARIANCE)
    gain = _gain(noise, spread)
    return ((1.0 - gain) / gain).clamp(min=LEAST_VARIANCE)


def hermitian_inverse(matrix: Tensor) -> Tensor:
    """Inverse of Hermitian matrices of size 1, 2 or 4, by formula.

    A library call for each small matrix takes ten times as long.
    """
    size = matrix.shape[-1]
    if size == 1:
        return matrix.reciprocal()
    if size == 2:
        (a, b), (c, d) = matrix[..., 0, :].unbind(-1), matrix[..., 1, :].unbind(-1)
        adjugate = torch.stack((d, -b, -c, a), dim=-1).reshape(matrix.shape)
        inverse: Tensor = adjugate / (a * d - b * c)[..., None, None]
        return inverse
    half = size // 2
    upper, right, lower = matrix[..., :half, :half], matrix[..., :half, half:], matrix[..., half:, half:]
    inner = hermitian_inverse(upper)
    across = inner @ right
    schur = hermitian_inverse(lower - right.mH @ across)
    corner = -across @ schur
    first = inner - corner @ across.mH
    return torch.cat((torch.cat((first, corner), -1), torch.cat((corner.mH, schur), -1)), -2)


def detect(
    detector: Detector, received: Tensor, channel: Tensor, noise: Tensor, bits: int, shaped: Tensor | None = None
) -> Tensor:
    """LLRs log p1/p0 [..., layers, bits] of received vectors [..., rx] over channels [..., rx, layers].

    `noise` is the variance of noise and estimation error together, [...]. With one layer EP and K-best find what
    LMMSE does, which is then optimal. `shaped` is a constellation [2^bits] other than square QAM, for one layer.
    """
    layers = channel.shape[-1]
    if detector in (Detector.ZF, Detector.LMMSE) or layers == 1:
        linear = equaliser(channel, noise, zero_forcing=detector is Detector.ZF)
        if shaped is not None:
            return llrs(linear.apply(received), linear.variance, shaped)
        return square_llrs(linear.apply(received), linear.variance, bits)
    return _sionna(detector, layers, bits)(received, channel, noise)


class _SionnaDetector:
    """EP or K-best of Sionna on flattened resource elements."""

    def __init__(self, detector: Detector, layers: int, bits: int) -> None:
        from sionna.phy.mimo import EPDetector, KBestDetector

        if detector is Detector.EP:
            self._detector = EPDetector("bit", bits, l=EP_ITERATIONS)
        else:
            paths = min(KBEST_PATHS, (1 << bits) ** layers)
            self._detector = KBestDetector(
                "bit", layers, paths, constellation_type="qam", num_bits_per_symbol=bits
            )

    def __call__(self, received: Tensor, channel: Tensor, noise: Tensor) -> Tensor:
        shape, antennas = received.shape[:-1], received.shape[-1]
        one = torch.eye(antennas, dtype=channel.dtype, device=channel.device)
        covariance = noise.clamp(min=LEAST_VARIANCE).reshape(-1, 1, 1) * one
        # Sionna compiles these on first use, which takes longer than most plans' whole evaluation.
        with torch.compiler.set_stance("force_eager"):
            found: Tensor = self._detector(
                received.reshape(-1, antennas), channel.reshape(-1, antennas, channel.shape[-1]), covariance
            )
        return torch.nan_to_num(found).reshape(*shape, *found.shape[-2:])


_detectors: dict[tuple[Detector, int, int], _SionnaDetector] = {}


def _sionna(detector: Detector, layers: int, bits: int) -> _SionnaDetector:
    place = (detector, layers, bits)
    if place not in _detectors:
        _detectors[place] = _SionnaDetector(*place)
    return _detectors[place]
