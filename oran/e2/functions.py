"""RAN functions and the service models behind them, matched by OID and never by RAN function id.

An E2 service model's OID is 1.3.6.1.4.1.53148.1.<version>.2.<model>: the version arc grows with the model's
edition, and nodes choose RAN function ids as they please (O-RAN.WG3.E2SM).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeVar

from oran.e2.schema import Characters, Component, Integer, Record, Type

KPM_OID = "1.3.6.1.4.1.53148.1.2.2.2"
RC_OID = "1.3.6.1.4.1.53148.1.1.2.3"
CCC_OID = "1.3.6.1.4.1.53148.1.6.2.4"

_OID = re.compile(r"1\.3\.6\.1\.4\.1\.53148\.1\.([0-9]{1,9})\.2\.([0-9]{1,9})")


class ServiceModel(Enum):
    """The service models we speak; the value is the last arc of the OID."""

    KPM = 2
    RC = 3
    CCC = 4


def match(oid: str) -> tuple[ServiceModel, int] | None:
    """Tell the service model and the version arc of an OID; None where it is none of ours.

    >>> match("1.3.6.1.4.1.53148.1.2.2.2")
    (<ServiceModel.KPM: 2>, 2)
    """
    found = _OID.fullmatch(oid)
    if found is None or int(found[2]) not in (model.value for model in ServiceModel):
        return None
    return ServiceModel(int(found[2])), int(found[1])


class HasOid(Protocol):
    """A RAN function as a node announces it: all that is looked at is its OID."""

    @property
    def oid(self) -> str:
        """The service model's OID in dotted form."""
        ...


F = TypeVar("F", bound=HasOid)


def find(functions: Iterable[F], model: ServiceModel) -> F | None:
    """Find the RAN function of a service model; the highest version wins, the first among equals."""
    best: F | None = None
    highest = -1
    for function in functions:
        matched = match(function.oid)
        if matched is not None and matched[0] is model and matched[1] > highest:
            best, highest = function, matched[1]
    return best


@dataclass(frozen=True, slots=True)
class FunctionName:
    """RANfunction-Name, which opens every RAN function definition in ASN.1."""

    short_name: str
    oid: str
    description: str
    instance: int | None = None


FUNCTION_NAME: Type[FunctionName] = Record(
    FunctionName,
    Component("short_name", "ranFunction-ShortName", Characters(1, 150, extensible=True)),
    Component("oid", "ranFunction-E2SM-OID", Characters(1, 1000, extensible=True)),
    Component("description", "ranFunction-Description", Characters(1, 150, extensible=True)),
    Component("instance", "ranFunction-Instance", Integer(), optional=True),
)
