"""Plan: a validated orchestration, that is a link chain and the policy of the slice it serves.

`ChainGrid` holds many link chains as columns of integers, for whoever computes with thousands of them at once. The
rules by which steps contradict each other are stated once, over such columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from oran.sla import SliceSla
from oran.slices import SNssai
from twin.link.catalogue import (
    BITS_PER_SYMBOL,
    CODE_RATES,
    PARAMETERS,
    REFERENCE_NUMEROLOGY,
    STEP_OF,
    Code,
    Detector,
    Estimator,
    Modulation,
    Precoder,
    Transmitter,
)
from twin.link.errors import PlanError


class Part(BaseModel):
    """A frozen part of a plan whose errors are PlanErrors, wherever it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    step: ClassVar[str] = "plan"
    """The step to blame for an error that no parameter of the catalogue is to blame for."""

    def __init__(self, **values: object) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise self._plan_error(error) from None

    @classmethod
    def _plan_error(cls, error: ValidationError) -> PlanError:
        first = error.errors(include_url=False, include_input=False)[0]
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, PlanError):
            return cause
        field = ".".join(map(str, first["loc"]))
        step = STEP_OF.get(field, cls.step)
        if first["type"] == "missing":
            known = PARAMETERS.get(field)
            return PlanError(step, field, f"{field} is missing" + (f"; it must be {known.range}" if known else ""))
        if first["type"] == "extra_forbidden":
            return PlanError(step, field, f"there is no {field}; there are {', '.join(cls.model_fields)}")
        return PlanError(step, field, f"{field}: {first['msg']}" if field else first["msg"])


class LinkChain(Part):
    """The physical layer of a plan: what each step of `twin.link.catalogue.STEPS` uses.

    Raises PlanError, naming step, field and range, for a value out of range and for contradictory steps (RULES).
    """

    numerology: int
    prbs: int
    code: Code = Code.LDPC
    code_rate: float
    modulation: Modulation
    transmitter: Transmitter = Transmitter.QAM
    layers: int = 1
    tx_antennas: int = 1
    precoder: Precoder = Precoder.NONE
    tx_power_dbm: int = 23
    estimator: Estimator = Estimator.LS
    rx_antennas: int = 1
    detector: Detector = Detector.LMMSE
    harq_transmissions: int = 1
    repetition: int = 1

    @field_validator("*", mode="before")
    @classmethod
    def _in_range(cls, value: object, info: ValidationInfo) -> object:
        field = info.field_name or ""
        if not PARAMETERS[field].accepts(value):
            raise PlanError(
                STEP_OF[field], field, f"{field} is {_brief(value)}; it must be {PARAMETERS[field].range}"
            )
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        grid = ChainGrid.of((self,))
        for rule in RULES:
            if rule.broken(grid)[0]:
                raise PlanError(rule.step, rule.field, f"{rule.field} is {getattr(self, rule.field)}; {rule.text}")
        return self


class SlicePolicy(Part):
    """The slice that a plan serves and what the slice is promised (`oran.sla.SliceSla`)."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    step: ClassVar[str] = "slice"

    slice: SNssai
    throughput_bps: float | None = None
    delay_s: float | None = None
    drop_rate: float | None = None
    weight: float = 1.0

    @field_validator("slice", mode="before")
    @classmethod
    def _parse(cls, value: object) -> object:
        return SNssai.parse(value) if isinstance(value, str) else value

    @field_serializer("slice")
    def _write(self, value: SNssai) -> str:
        return str(value)

    @model_validator(mode="after")
    def _promise(self) -> Self:
        try:
            _ = self.sla
        except ValueError as error:
            raise PlanError("slice", "slice", str(error)) from None
        return self

    @property
    def sla(self) -> SliceSla:
        """The promise as the rest of the house knows it."""
        return SliceSla(
            self.slice,
            throughput_bps=self.throughput_bps,
            delay_s=self.delay_s,
            drop_rate=self.drop_rate,
            weight=self.weight,
        )


class Plan(Part):
    """An orchestration: the link chain to run and the slice policy to send over A1."""

    link_chain: LinkChain
    slice_policy: SlicePolicy

    @classmethod
    def parse(cls, text: str | bytes) -> Plan:
        """Read the JSON text that `to_json` writes, or an orchestrator; PlanError says what is wrong."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise cls._plan_error(error) from None

    def to_json(self) -> str:
        """The plan as JSON text."""
        return self.model_dump_json()


@dataclass(frozen=True, slots=True, eq=False)
class ChainGrid:
    """Link chains as columns, int32 [chains] each, in the order of `LinkChain`.

    Names are coded by their place in their enumeration (`CODES`), a code rate by its place in CODE_RATES, numbers
    by themselves. Columns are not validated: `consistent` tells which rows are link chains.
    """

    numerology: np.ndarray
    prbs: np.ndarray
    code: np.ndarray
    code_rate: np.ndarray
    modulation: np.ndarray
    transmitter: np.ndarray
    layers: np.ndarray
    tx_antennas: np.ndarray
    precoder: np.ndarray
    tx_power_dbm: np.ndarray
    estimator: np.ndarray
    rx_antennas: np.ndarray
    detector: np.ndarray
    harq_transmissions: np.ndarray
    repetition: np.ndarray

    @classmethod
    def of(cls, chains: Iterable[LinkChain]) -> ChainGrid:
        """Code link chains as columns."""
        rows = [[code(field, getattr(chain, field)) for field in COLUMNS] for chain in chains]
        return cls(*np.array(rows, dtype=np.int32).reshape(len(rows), len(COLUMNS)).T)

    @classmethod
    def product(cls, **axes: Iterable[Any]) -> ChainGrid:
        """Every combination of the given values (not codes); the last column varies fastest."""
        coded = [np.array([code(field, value) for value in axes[field]], dtype=np.int32) for field in COLUMNS]
        return cls(*(column.ravel() for column in np.meshgrid(*coded, indexing="ij")))

    def __len__(self) -> int:
        return len(self.prbs)

    def take(self, rows: np.ndarray | slice) -> ChainGrid:
        """The rows at these places, or where this mask holds."""
        return ChainGrid(*(getattr(self, field)[rows] for field in COLUMNS))

    def with_(self, **columns: np.ndarray | int) -> ChainGrid:
        """A copy in which some columns (codes) are others."""
        new = {
            field: np.broadcast_to(np.asarray(value, np.int32), self.prbs.shape)
            for field, value in columns.items()
        }
        return ChainGrid(**{field: new.get(field, getattr(self, field)) for field in COLUMNS})

    def put(self, rows: np.ndarray, **columns: np.ndarray | int) -> ChainGrid:
        """A copy in which some columns (codes) are others at these places."""
        new = {field: getattr(self, field).copy() for field in columns}
        for field, value in columns.items():
            new[field][rows] = value
        return self.with_(**new)

    def chain(self, row: int) -> LinkChain:
        """One row as a validated link chain."""
        return LinkChain(**{field: _value(field, int(getattr(self, field)[row])) for field in COLUMNS})

    @property
    def rate(self) -> np.ndarray:
        """Information bits per coded bit, float [chains]."""
        rates: np.ndarray = _RATES[self.code_rate]
        return rates

    @property
    def bits_per_symbol(self) -> np.ndarray:
        """Bits per symbol and layer, int [chains]."""
        bits: np.ndarray = _BITS[self.modulation]
        return bits

    @property
    def reference_prbs(self) -> np.ndarray:
        """Spectrum in use, in PRBs of the reference numerology, float [chains]."""
        return self.prbs * 2.0 ** (self.numerology - REFERENCE_NUMEROLOGY)

    def consistent(self) -> np.ndarray:
        """Tell which rows break no rule, bool [chains]."""
        good = np.ones(len(self), dtype=bool)
        for rule in RULES:
            good &= ~rule.broken(self)
        return good


COLUMNS: tuple[str, ...] = tuple(column.name for column in fields(ChainGrid))
CODES: dict[str, tuple[Any, ...]] = {
    "code": tuple(Code),
    "code_rate": CODE_RATES,
    "modulation": tuple(Modulation),
    "transmitter": tuple(Transmitter),
    "precoder": tuple(Precoder),
    "estimator": tuple(Estimator),
    "detector": tuple(Detector),
}
"""What the integers of a ChainGrid's coded columns stand for."""

_RATES = np.array(CODE_RATES)
_BITS = np.array([BITS_PER_SYMBOL[modulation] for modulation in Modulation], dtype=np.int32)
_CODE_OF = {field: {value: place for place, value in enumerate(values)} for field, values in CODES.items()}


def code(field: str, value: Any) -> int:
    """The integer by which a column codes a value; KeyError for a name that the field does not have."""
    return _CODE_OF[field][value] if field in _CODE_OF else int(value)


def code_of(value: Code | Modulation | Transmitter | Precoder | Estimator | Detector) -> int:
    """The integer by which a column codes a name."""
    return list(type(value)).index(value)


def _value(field: str, coded: int) -> Any:
    return CODES[field][coded] if field in CODES else coded


@dataclass(frozen=True, slots=True)
class Rule:
    """A way in which steps contradict each other; `broken` gives bool [chains]."""

    step: str
    field: str
    text: str
    broken: Callable[[ChainGrid], np.ndarray]


_NO_PRECODER = code_of(Precoder.NONE)
_DEEPRX_ESTIMATOR, _DEEPRX_DETECTOR = code_of(Estimator.DEEPRX), code_of(Detector.DEEPRX)
_DEEPTX = code_of(Transmitter.DEEPTX)
_DEEPTX_MODULATIONS = [code_of(Modulation.QAM16), code_of(Modulation.QAM64)]
_LINEAR = [code_of(Detector.ZF), code_of(Detector.LMMSE)]

RULES: tuple[Rule, ...] = (
    Rule(
        "precode",
        "layers",
        "it must not exceed tx_antennas or rx_antennas",
        lambda c: (c.layers > c.tx_antennas) | (c.layers > c.rx_antennas),
    ),
    Rule(
        "precode",
        "tx_antennas",
        "it must equal layers when precoder is none, which sends each layer on an antenna of its own",
        lambda c: (c.precoder == _NO_PRECODER) & (c.tx_antennas != c.layers),
    ),
    Rule(
        "precode",
        "precoder",
        "it needs tx_antennas 2 or 4",
        lambda c: (c.precoder != _NO_PRECODER) & (c.tx_antennas == 1),
    ),
    Rule(
        "detect",
        "detector",
        "estimator and detector must both be deeprx or neither, for DeepRx is both in one",
        lambda c: (c.estimator == _DEEPRX_ESTIMATOR) != (c.detector == _DEEPRX_DETECTOR),
    ),
    Rule(
        "estimate",
        "estimator",
        "it receives one layer: layers must be 1",
        lambda c: (c.estimator == _DEEPRX_ESTIMATOR) & (c.layers != 1),
    ),
    Rule(
        "estimate",
        "rx_antennas",
        "it must be 1 or 2 with estimator deeprx",
        lambda c: (c.estimator == _DEEPRX_ESTIMATOR) & (c.rx_antennas > 2),
    ),
    Rule(
        "modulate",
        "transmitter",
        "it has modulation 16qam and 64qam only",
        lambda c: (c.transmitter == _DEEPTX) & ~np.isin(c.modulation, _DEEPTX_MODULATIONS),
    ),
    Rule(
        "modulate",
        "transmitter",
        "it sends one layer: layers must be 1",
        lambda c: (c.transmitter == _DEEPTX) & (c.layers != 1),
    ),
    Rule(
        "modulate",
        "transmitter",
        "it needs detector zf or lmmse, for the others know square constellations only",
        lambda c: (c.transmitter == _DEEPTX) & ~np.isin(c.detector, _LINEAR),
    ),
)


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
