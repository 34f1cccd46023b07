"""The toolkit's reference in plain sentences, from the catalogue, the rules and the limits of the link twin."""

from collections.abc import Iterator

from oran.slices import SNssai
from twin.link.blocks import LDPC_MAX_BITS
from twin.link.catalogue import (
    BITS_PER_SYMBOL,
    CODE_RATES,
    DATA_SYMBOLS_PER_SLOT,
    DMRS_SYMBOLS,
    POLAR_MAX_BITS,
    REFERENCE_POWER_DBM,
    REFERENCE_PRBS,
    SLICE_FIELDS,
    STEPS,
    SUBCARRIERS_PER_PRB,
    SYMBOLS_PER_SLOT,
    Modulation,
    Parameter,
    Step,
)
from twin.link.equipment import LIMITS
from twin.link.plan import RULES, LinkChain, Plan, SlicePolicy
from twin.link.program import render

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def documents() -> Iterator[tuple[str, str]]:
    """Titles and texts."""
    yield "overview", _overview()
    for number, step in enumerate(STEPS):
        yield f"step-{number + 1}-{step.name}", _step(number, step)
    yield "rules", _rules()
    yield "limits", _limits()
    yield "numbers", _numbers()
    yield "slice-policy", _slice_policy()
    yield "program", _program()


def _overview() -> str:
    names = ", ".join(step.name for step in STEPS)
    count = sum(len(step.parameters) for step in STEPS)
    lines = [
        "# The toolkit of the link",
        "",
        f"A link is put together in {len(STEPS)} steps, which follow the signal from the transmitter to the "
        f"receiver: {names}. Together they have {count} parameters. A plan gives each parameter a value; what "
        "a plan leaves out has its default, and what has no default must be given.",
        "",
    ]
    for number, step in enumerate(STEPS):
        told = ", ".join(parameter.name for parameter in step.parameters)
        lines.append(f"- The {_ORDINALS[number]} step is {step.name}. {step.about} It has {told}.")
    return "\n".join(lines) + "\n"


def _step(number: int, step: Step) -> str:
    lines = [f"# Step {number + 1} of the toolkit: {step.name}", "", step.about]
    for parameter in step.parameters:
        lines += ["", f"## {parameter.name}", "", " ".join(_parameter(step, parameter))]
    if step.limits:
        lines += ["", "## Limits", "", f"In the step {step.name} this holds: {step.limits}"]
    return "\n".join(lines) + "\n"


def _parameter(step: Step, parameter: Parameter) -> Iterator[str]:
    name = parameter.name
    yield f"The parameter {name} belongs to the step {step.name}. What it says: {parameter.about}."
    yield f"Its value is {parameter.range}."
    if parameter.required:
        yield f"There is no default for {name}, so that every plan must state it."
    else:
        yield f"A plan that does not mention {name} has {name} {parameter.default}."
    for choice in parameter.choices:
        if choice.about:
            yield f"With {name} {choice.value} this is chosen: {choice.about}."
    if not parameter.choices:
        yield f"Nothing below {parameter.low} or above {parameter.high} is taken, and no fraction either."
    if name == "modulation":
        for modulation, bits in BITS_PER_SYMBOL.items():
            yield f"A symbol of {modulation.value} carries {bits} bits and is one of {2**bits} points."
    if name == "code_rate":
        for rate in CODE_RATES:
            yield f"At code rate {rate:g}, 1000 sent bits carry {round(1000 * rate)} bits of information."
    if name == "numerology":
        for numerology in parameter.values:
            spacing = 15 * 2 ** int(numerology)
            yield (
                f"Numerology {numerology} has subcarriers of {spacing} kHz, PRBs of {spacing * 12} kHz and "
                f"slots of {1000 / 2 ** int(numerology):g} microseconds."
            )


def _rules() -> str:
    lines = [
        "# How steps of a link contradict each other",
        "",
        f"There are {len(RULES)} rules. A plan that breaks one of them is refused, whatever the equipment.",
        "",
    ]
    for rule in RULES:
        lines.append(f"- In the step {rule.step}, about {rule.field}: {rule.text}.")
    return "\n".join(lines) + "\n"


def _limits() -> str:
    words = {
        "prbs": "the spectrum that a link takes, prbs x 2^(numerology - 1), must not exceed the free PRBs",
        "tx_antennas": "there must be as many transmit antennas as are in use",
        "rx_antennas": "there must be as many receive antennas as are in use",
        "tx_power_dbm": "the power must not exceed the largest power of the equipment",
        "estimator": "deeprx is for equipment that has DeepRx",
        "transmitter": "deeptx is for equipment that has DeepTx",
        "detector": "the operations per second that all modules need together must not exceed those that are "
        "free; fewer PRBs or layers need less, and so do a cheaper estimator and a cheaper detector",
    }
    lines = [
        "# What the equipment limits",
        "",
        "A plan may follow all rules and still ask for more than the equipment has free. Then it is refused too.",
        "",
    ]
    lines += [f"- Step {limit.step}, {limit.field}: {words[limit.field]}." for limit in LIMITS]
    return "\n".join(lines) + "\n"


def _numbers() -> str:
    data = SUBCARRIERS_PER_PRB * DATA_SYMBOLS_PER_SLOT
    paragraphs = (
        "# Numbers of the toolkit",
        f"A PRB is {SUBCARRIERS_PER_PRB} subcarriers wide, and a slot is {SYMBOLS_PER_SLOT} symbols long. So "
        f"a PRB has {SUBCARRIERS_PER_PRB * SYMBOLS_PER_SLOT} resource elements in a slot. Symbols "
        f"{DMRS_SYMBOLS[0]} and {DMRS_SYMBOLS[1]} carry reference signals, by which the receiver learns the "
        f"channel; the other {DATA_SYMBOLS_PER_SLOT} symbols carry data. That leaves {data} resource elements "
        "of a PRB and slot for data.",
        f"The bits of a slot follow from that: PRBs times {data}, times layers, times the bits of a symbol, times "
        "the code rate. With 10 PRBs, one layer, 16qam (4 bits) and code rate 0.5 these are "
        f"10 x {data} x 4 x 0.5 = {data * 20} bits. How many slots there are in a second is said by the "
        "numerology: 1000 at numerology 0, 2000 at numerology 1, 4000 at numerology 2, 8000 at numerology 3.",
        "Spectrum is counted in PRBs of numerology 1. One PRB of numerology 2 takes two of them, one of "
        "numerology 3 takes four, and two PRBs of numerology 0 take one.",
        f"The SNR of an equipment is stated for {REFERENCE_POWER_DBM} dBm spread over {REFERENCE_PRBS} PRBs of "
        "numerology 1. Twice the PRBs halve the power of each, which costs 3 dB; so does the next "
        "numerology, whose PRBs are twice as wide. Twice the power, which is 3 dB more, gives the 3 dB back.",
        f"The polar code takes at most {POLAR_MAX_BITS} information bits in a block; what is longer is cut into "
        f"several blocks. LDPC blocks may be much longer, up to {LDPC_MAX_BITS} bits.",
    )
    return "\n\n".join(paragraphs) + "\n"


def _slice_policy() -> str:
    lines = [
        "# The slice policy of a plan",
        "",
        "A plan has two parts: the link chain, which says how bits are sent, and the slice policy, which "
        "says what the slice that uses the link is promised. The policy has these fields.",
        "",
    ]
    lines += [f"- {name}: {about}." for name, about in SLICE_FIELDS.items()]
    return "\n".join(lines) + "\n"


def _program() -> str:
    chain = LinkChain(
        numerology=1, prbs=24, modulation=Modulation.QAM16, code_rate=0.5, rx_antennas=2, harq_transmissions=2
    )
    policy = SlicePolicy(slice=SNssai.parse("1-000001"), throughput_bps=1e7, delay_s=0.01)
    calls = "\n".join(f"    {line}" for line in render(Plan(link_chain=chain, slice_policy=policy)).splitlines())
    paragraphs = (
        "# A plan as a program",
        "A plan may be written as a short program against the twin. The first call opens the link on some "
        "spectrum, each later call sets up one step, the slice is told what it is promised, and the last "
        "call transmits. This program uses 24 PRBs of numerology 1, LDPC at code rate 0.5 and 16qam, and "
        "receives with two antennas:",
        calls,
        "The order of the steps is that of the signal. Every parameter is given by its name. Those at their "
        "default may be left out, which makes the program shorter and means the same.",
    )
    return "\n\n".join(paragraphs) + "\n"
