"""Prompt: how a task is put to an orchestrator."""

from rapps.orchestrator.grammar import ANSWER, REFLECT, STRICTNESS, TARGETS, THINK
from rapps.orchestrator.quantities import tell
from rapps.orchestrator.reading import Reading
from twin.link.catalogue import STEPS
from twin.link.equipment import EquipmentState
from twin.link.plan import RULES

UNITS = (
    *(
        "Equipment: ",
        " PRBs, ",
        " tx, ",
        " rx, ",
        " Tflop/s, ",
        " dBm, ",
        " SNR ",
        " dB, spread ",
        " ns, Doppler ",
        " Hz, ",
    ),
    *("deeprx", "deeptx", "deeprx deeptx", "no networks", "\nTask: "),
    *(f"\nUsual: {TARGETS[0].name} ", *(f", {target.name} " for target in TARGETS[1:])),
)
"""What stands between the values of a prompt."""


def prompt(reading: Reading, equipment: EquipmentState) -> str:
    """The task: the equipment, the text with its quantities marked, and what is usual for such."""
    return f"{equipment_line(equipment)}\nTask: {reading.text}\n{usual_line(reading)}\n"


def usual_line(reading: Reading) -> str:
    """What services like that of a text mostly need, in words."""
    return "Usual: " + ", ".join(f"{target.name} {tell(target.kind, target.usual(reading))}" for target in TARGETS)


def equipment_line(equipment: EquipmentState) -> str:
    """An equipment state in words."""
    networks = [name for name in ("deeprx", "deeptx") if getattr(equipment, f"has_{name}")]
    parts = (
        f"{equipment.free_prbs} PRBs",
        f"{equipment.tx_antennas} tx",
        f"{equipment.rx_antennas} rx",
        f"{equipment.compute_flops / 1e12:.2g} Tflop/s",
        f"{equipment.max_tx_power_dbm:.3g} dBm",
        f"{equipment.channel.value} SNR {equipment.snr_db:.3g} dB",
        f"spread {equipment.delay_spread_s * 1e9:.3g} ns",
        f"Doppler {equipment.doppler_hz:.3g} Hz",
        " ".join(networks) or "no networks",
    )
    return "Equipment: " + ", ".join(parts)


def system() -> str:
    """What a model that was not trained for it must know to answer: the toolkit, its rules and the format."""
    words = ", ".join(f"{word} ({times:g} times)" for word, times in STRICTNESS.items())
    lines = [
        "You orchestrate the physical layer of a 6G link: read what a service needs, then choose the link chain",
        "that delivers it on the equipment with the least waste. Marks like [A=20 Mbit/s] are quantities of it.",
        "Usual tells what is meant by such words most of the time, a guess: where the text leaves a target open,",
        f"say a quantity, or how strict to take it by the guess: {words}.",
        "Parameters of a link chain, all of which the answer gives in this order:",
    ]
    for step in STEPS:
        for parameter in step.parameters:
            lines.append(f"- {parameter.name}: {parameter.about}; {parameter.range}")
    lines += ["Rules:", *(f"- {rule.field}: {rule.text}" for rule in RULES)]
    names = "; ".join(f"{target.name} <letter, {target.kind} or word>" for target in TARGETS)
    lines += [
        "Answer in exactly this form, thinking before the demand as long as you need:",
        f"{THINK[0]}...Demand: {names}{THINK[1]}",
        f"{REFLECT[0]}what the demand means for the chain{REFLECT[1]}",
        f'{ANSWER[0]}{{"numerology": 1, "prbs": 24, ...}}{ANSWER[1]}',
    ]
    return "\n".join(lines)
