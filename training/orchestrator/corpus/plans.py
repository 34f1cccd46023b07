"""Plans: chains that the link twin found to serve a demand, as answers write them.

Demands and equipment are those of training tasks, modules are drawn at random; what is told are chains that meet
their demand at tier T0. A seed gives the same plans as long as the tables stay.
"""

import random
from collections.abc import Iterator

from rapps.orchestrator.legal import ORDER
from training.orchestrator.corpus.facts import of_equipment
from training.orchestrator.corpus.figures import said_ber, said_delay, said_rate
from training.orchestrator.dimensioning import Room, Wanted, drawn
from training.orchestrator.tasks import generator
from twin.link.evaluate import evaluate

EACH = 2
"""Plans of a document: more would be called repetitions."""
_ASKED = (
    "The service asks for {rate} within {delay}, and for no more wrong bits than a share of {ber}.",
    "What is wanted are {rate} that arrive in {delay} and a bit error rate of no more than {ber}.",
    "At least {rate}, at most {delay} of delay and a bit error rate below {ber} are what this service needs.",
)
_FOUND = (
    "This plan serves it: {plan}. It carries {rate} and takes {delay}, by the tables of the twin.",
    "The twin was asked about the plan {plan} and found that it is good: {rate} after {delay}.",
    "With {plan} the link would carry {rate} after {delay}, which is enough.",
)
_BEYOND = (
    "Its slots, its PRBs and its power are told as what to have beyond what these modules need.",
    "The last three say how many steps of slots and of PRBs and how many decibels there are to spare.",
    "More PRBs carry more, more power makes fewer errors, and both are wasted where they are not needed.",
)


def documents(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Titles and texts with `count` plans in all."""
    for number in range(-(-count // EACH)):
        draw = random.Random(f"plans {seed} {number}")
        told = "\n\n".join(_plan(draw) for _ in range(min(EACH, count - number * EACH)))
        title = draw.choice(("Plans that serve", "How a demand was met", "Good plans"))
        yield f"plans-{number:05d}", f"# {title}: draw {number} of seed {seed}\n\n{told}\n"


def _plan(draw: random.Random) -> str:
    """A demand and a plan for it, which may take some draws to find."""
    while True:
        task = generator.draw(draw.getrandbits(40))
        found = drawn([Wanted(task.demand, task.equipment, draw)], Room())[0]
        if found is None:
            continue
        qos, demand = evaluate(found.chain, task.equipment).qos, task.demand
        asked = draw.choice(_ASKED).format(
            rate=said_rate(demand.min_throughput_bps),
            delay=said_delay(demand.max_delay_s),
            ber=said_ber(demand.max_ber),
        )
        told = draw.choice(_FOUND).format(
            plan=_text(found.options), rate=said_rate(qos.throughput_bps), delay=said_delay(qos.delay_s)
        )
        return " ".join((of_equipment(task.equipment, draw), asked, told, draw.choice(_BEYOND)))


def _text(options: tuple[str, ...]) -> str:
    """A plan as an answer writes it."""
    return "{" + ", ".join(f'"{name}": {option}' for name, option in zip(ORDER, options, strict=True)) + "}"
