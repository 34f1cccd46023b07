"""Wording: a text and the demand that it stands for."""

from dataclasses import dataclass

from twin.link.demand import Demand


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What somebody says of a service."""

    text: str
    demand: Demand
    explicit: bool
    """Whether the text states all three numbers of the demand; otherwise the service says what it leaves open."""
    service: str
    vertical: str
