"""The toolkit: every module and parameter of the link that may be orchestrated, as data.

A link is orchestrated in steps (`grid`, `encode`, `modulate`, ...), each with parameters. The validation of plans,
the program interface and the prompt text (`render`) are all made of this one table. Nothing is imported here but
the standard library, so that a sandboxed process can afford it.
"""

from dataclasses import dataclass
from enum import StrEnum

REFERENCE_NUMEROLOGY = 1
"""Spectrum is counted in PRBs of this numerology (30 kHz subcarriers, 360 kHz a PRB)."""
REFERENCE_PRBS = 51
REFERENCE_POWER_DBM = 23
"""An equipment's SNR is stated for this power spread over REFERENCE_PRBS (18.36 MHz)."""

SUBCARRIERS_PER_PRB = 12
SYMBOLS_PER_SLOT = 14
DMRS_SYMBOLS = (2, 11)
"""Symbols of a slot that carry demodulation reference signals; data is on the other twelve."""
DATA_SYMBOLS_PER_SLOT = SYMBOLS_PER_SLOT - len(DMRS_SYMBOLS)


class Modulation(StrEnum):
    """Modulation of the data (TS 38.211 5.1)."""

    QPSK = "qpsk"
    QAM16 = "16qam"
    QAM64 = "64qam"
    QAM256 = "256qam"

    @property
    def bits(self) -> int:
        """Bits per symbol."""
        return BITS_PER_SYMBOL[self]


BITS_PER_SYMBOL = {Modulation.QPSK: 2, Modulation.QAM16: 4, Modulation.QAM64: 6, Modulation.QAM256: 8}


class Code(StrEnum):
    """Channel code (TS 38.212 5.3)."""

    LDPC = "ldpc"
    POLAR = "polar"


class Precoder(StrEnum):
    """Precoder over the transmit antennas."""

    NONE = "none"
    SVD = "svd"


class Estimator(StrEnum):
    """Channel estimator."""

    LS = "ls"
    LMMSE = "lmmse"
    DEEPRX = "deeprx"


class Detector(StrEnum):
    """Detector of the layers and their bits."""

    ZF = "zf"
    LMMSE = "lmmse"
    EP = "ep"
    KBEST = "kbest"
    DEEPRX = "deeprx"


class Transmitter(StrEnum):
    """Constellation of the transmitter."""

    QAM = "qam"
    DEEPTX = "deeptx"


class ChannelClass(StrEnum):
    """Channel class (TR 38.901 7.7.2)."""

    AWGN = "awgn"
    TDL_A = "tdl_a"
    TDL_C = "tdl_c"
    TDL_D = "tdl_d"


CODE_RATES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
POLAR_MAX_BITS = 1024
"""Largest code block of the polar code, in information bits; larger transport blocks are segmented."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a parameter may take."""

    value: str | int | float
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a step: one of `choices`, or a whole number in low..high."""

    name: str
    about: str
    unit: str = ""
    choices: tuple[Choice, ...] = ()
    low: int = 0
    high: int = 0
    default: str | int | float | None = None
    required: bool = False

    @property
    def values(self) -> tuple[str | int | float, ...]:
        """Every value that the parameter may take."""
        return tuple(choice.value for choice in self.choices) or tuple(range(self.low, self.high + 1))

    @property
    def range(self) -> str:
        """The values in words."""
        words = ", ".join(str(choice.value) for choice in self.choices)
        text = f"one of {words}" if self.choices else f"a whole number in {self.low}..{self.high}"
        return f"{text} {self.unit}".rstrip()

    def accepts(self, value: object) -> bool:
        """Tell whether the parameter may take this value; a bool is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return False
        if self.choices:
            return any(value == choice.value for choice in self.choices)
        return not isinstance(value, str) and value in range(self.low, self.high + 1)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the transmission and its parameters; `limits` are the hardware's, in words."""

    name: str
    about: str
    parameters: tuple[Parameter, ...]
    limits: str = ""


_ANTENNAS = (Choice(1), Choice(2), Choice(4))

STEPS: tuple[Step, ...] = (
    Step(
        "grid",
        "Open a link on part of the spectrum.",
        (
            Parameter(
                name="numerology",
                required=True,
                about="subcarrier spacing 15 kHz x 2^numerology; higher has shorter slots and wider PRBs",
                choices=(
                    Choice(0, "1 ms slots"),
                    Choice(1, "0.5 ms"),
                    Choice(2, "0.25 ms"),
                    Choice(3, "0.125 ms"),
                ),
            ),
            Parameter(
                name="prbs",
                required=True,
                about="bandwidth; the transmit power is spread over it",
                unit="PRB",
                low=1,
                high=275,
            ),
        ),
        "prbs x 2^(numerology - 1) must not exceed the free PRBs, which are counted at numerology 1.",
    ),
    Step(
        "encode",
        "Protect the bits with a channel code.",
        (
            Parameter(
                name="code",
                about="channel code",
                choices=(
                    Choice(Code.LDPC.value, "5G LDPC: strong for long blocks"),
                    Choice(
                        Code.POLAR.value,
                        "5G polar: strong for short blocks, at most 1024 bits; decoding costs a little more",
                    ),
                ),
                default=Code.LDPC.value,
            ),
            Parameter(
                name="code_rate",
                required=True,
                about="information bits per coded bit; lower is more robust",
                choices=tuple(Choice(rate) for rate in CODE_RATES),
            ),
        ),
    ),
    Step(
        "modulate",
        "Map bits to symbols.",
        (
            Parameter(
                name="modulation",
                required=True,
                about="bits per symbol 2, 4, 6, 8; more need more SNR",
                choices=tuple(Choice(modulation.value) for modulation in Modulation),
            ),
            Parameter(
                name="transmitter",
                about="shape of the constellation",
                choices=(
                    Choice(Transmitter.QAM.value, "square grid"),
                    Choice(Transmitter.DEEPTX.value, "DeepTx, learned points; 16qam or 64qam on one layer"),
                ),
                default=Transmitter.QAM.value,
            ),
        ),
        "deeptx needs equipment that has it, and detector zf or lmmse.",
    ),
    Step(
        "precode",
        "Map layers to transmit antennas.",
        (
            Parameter(name="layers", about="parallel streams", choices=_ANTENNAS, default=1),
            Parameter(name="tx_antennas", about="transmit antennas in use", choices=_ANTENNAS, default=1),
            Parameter(
                name="precoder",
                about="how layers reach the antennas",
                choices=(
                    Choice(Precoder.NONE.value, "each layer on an antenna of its own"),
                    Choice(Precoder.SVD.value, "along the channel's strongest directions, two antennas or more"),
                ),
                default=Precoder.NONE.value,
            ),
        ),
        "layers must not exceed tx_antennas or rx_antennas; without precoder tx_antennas equals layers.",
    ),
    Step(
        "amplify",
        "Set the transmit power.",
        (
            Parameter(
                name="tx_power_dbm",
                about="total power over all antennas and PRBs",
                unit="dBm",
                low=-10,
                high=46,
                default=REFERENCE_POWER_DBM,
            ),
        ),
        "must not exceed the equipment's largest power.",
    ),
    Step(
        "estimate",
        "Estimate the channel from the reference signals.",
        (
            Parameter(
                name="estimator",
                about="channel estimator",
                choices=(
                    Choice(Estimator.LS.value, "least squares with linear interpolation: cheap, noisy"),
                    Choice(Estimator.LMMSE.value, "linear minimum mean square error: better, costs more"),
                    Choice(
                        Estimator.DEEPRX.value, "DeepRx, a neural receiver that also detects: best, heavy compute"
                    ),
                ),
                default=Estimator.LS.value,
            ),
            Parameter(name="rx_antennas", about="receive antennas in use", choices=_ANTENNAS, default=1),
        ),
        "deeprx is estimator and detector in one; it needs equipment that has it, one layer, 1 or 2 rx_antennas.",
    ),
    Step(
        "detect",
        "Separate the layers and find the bits.",
        (
            Parameter(
                name="detector",
                about="detector",
                choices=(
                    Choice(Detector.ZF.value, "zero forcing: cheapest, raises noise"),
                    Choice(Detector.LMMSE.value, "linear minimum mean square error: cheap, robust"),
                    Choice(Detector.EP.value, "expectation propagation: iterative, better for several layers"),
                    Choice(
                        Detector.KBEST.value, "K-best tree search: near the optimum for several layers, costly"
                    ),
                    Choice(Detector.DEEPRX.value, "DeepRx, together with estimator deeprx"),
                ),
                default=Detector.LMMSE.value,
            ),
        ),
    ),
    Step(
        "protect",
        "Repeat what may get lost.",
        (
            Parameter(
                name="harq_transmissions",
                about="most transmissions of a block, the first included; each retransmission costs a round trip",
                low=1,
                high=4,
                default=1,
            ),
            Parameter(
                name="repetition",
                about="consecutive slots that carry the same block; robust, costs throughput and time",
                unit="slots",
                choices=(Choice(1), Choice(2), Choice(4), Choice(8)),
                default=1,
            ),
        ),
    ),
)

PARAMETERS: dict[str, Parameter] = {parameter.name: parameter for step in STEPS for parameter in step.parameters}
"""Every parameter of a link chain by name, in the order of the steps."""

STEP_OF: dict[str, str] = {parameter.name: step.name for step in STEPS for parameter in step.parameters}
"""The step that each parameter belongs to."""


SLICE_FIELDS: dict[str, str] = {
    "slice": "S-NSSAI as SST-SD, SD in six hex digits, e.g. '1-000001'; required",
    "throughput_bps": "promised mean throughput of a user, at least",
    "delay_s": "promised mean delay, at most",
    "drop_rate": "promised share of packets lost or late, at most",
    "weight": "share of the slice in the satisfaction of all slices; default 1",
}
"""The parameters of `twin.link.plan.SlicePolicy`; at least one promise must be given."""


def render() -> str:
    """The toolkit as text for a prompt: each step with its parameters, their ranges, defaults and limits."""
    lines = ["Link chain, step by step:"]
    for number, step in enumerate(STEPS, 1):
        lines.append(f"{number}. {step.name}: {step.about}")
        for parameter in step.parameters:
            given = "required" if parameter.required else f"default {parameter.default}"
            lines.append(f"   - {parameter.name}: {parameter.about}. {_sentence(parameter.range)}; {given}.")
            lines += [f"       {choice.value}: {choice.about}" for choice in parameter.choices if choice.about]
        if step.limits:
            lines.append(f"   Limits: {step.limits}")
    lines.append("Slice policy:")
    lines += [f"   - {name}: {about}" for name, about in SLICE_FIELDS.items()]
    return "\n".join(lines)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
