"""The E2 codecs against asn1tools and pycrate, in one run.

Every figure is CPU time per message, the least of several interleaved repeats. "warm" decoding has met the
reports' tails before, "cold" forgets them before each message, "bare" keeps none within a message either.
The other codecs compile the tests' own schema (pycrate has no E2SM); pycrate brings its own E2AP and cannot
encode RC's recursive parameters.

    python benchmarks/e2_codec.py [--repeats 7] [--seconds 0.04]
"""

import argparse
import gc
import io
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from itertools import cycle
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oran.e2.e2ap import codec as e2ap
from oran.e2.e2ap.messages import RicIndication, RicRequestId
from oran.e2.identity import GnbDuUeId
from oran.e2.kpm.codec import decode_indication_message, encode_indication_message
from oran.e2.kpm.messages import (
    IndicationFormat1,
    IndicationFormat3,
    IndicationMessage,
    MeasurementInfo,
    Record,
    UeReport,
)
from oran.e2.kpm.reports import WITH_PERIOD, clear_caches
from oran.e2.kpm.tables import decode_ue_table
from oran.e2.rc.slice_quota import SlicePrbQuota, encode_slice_prb_quota_message

kpm_oracle = import_module("tests.oran.e2.kpm_oracle")
rc_oracle = import_module("tests.oran.e2.rc_oracle")

Work = Callable[[], object]

NAMES = (
    "DRB.UEThpDl",
    "RRU.PrbUsedDl",
    "DRB.RlcSduDelayDl",
    "DRB.RlcSduTransmittedVolumeDL",
    "CQI",
    "DRB.UEThpUl",
    "RRU.PrbUsedUl",
    "DRB.RlcPacketDropRateDl",
    "RSRP",
    "DRB.AirIfDelayUl",
)


@dataclass
class Case:
    """One row: what is coded, how, by whom, and the seconds that each took."""

    name: str
    octets: int
    work: dict[str, Work]
    seconds: dict[str, float] = field(default_factory=dict)


def infos(count: int) -> tuple[MeasurementInfo, ...]:
    """Measurements without labels; behind the first ten, sub-counters of them."""
    names = [NAMES[index % 10] + (f".{index // 10}" if index >= 10 else "") for index in range(count)]
    return tuple(MeasurementInfo(name) for name in names)


def record(draw: random.Random, count: int) -> Record:
    """Values as a node measures them: rates, PRBs, delays, volumes, indexes."""
    kinds: Sequence[Callable[[], int | float]] = (
        lambda: round(draw.uniform(0, 1e5), 2),
        lambda: draw.randrange(273),
        lambda: round(draw.uniform(0, 100), 1),
        lambda: draw.randrange(10**6),
        lambda: draw.randrange(16),
    )
    return Record(tuple(kinds[index % 5]() for index in range(count)))


def cell_report(count: int) -> IndicationMessage:
    """Format 1."""
    return IndicationFormat1((record(random.Random(count), count),), infos(count), 100)


def ue_reports(ues: int, count: int) -> IndicationMessage:
    """Format 3."""
    draw, info = random.Random(ues), infos(count)
    return IndicationFormat3(
        tuple(
            UeReport(GnbDuUeId(index), IndicationFormat1((record(draw, count),), info, 100))
            for index in range(ues)
        )
    )


def compile_for_pycrate(text: str) -> ModuleType:
    """The schema as a module made by pycrate's compiler, which talks a lot."""
    from pycrate_asn1c.asnproc import compile_text, generate_modules
    from pycrate_asn1c.generator import PycrateGenerator

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pycrate_oracle.py"
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            compile_text(text)
            generate_modules(PycrateGenerator, str(path))
        spec = spec_from_file_location("pycrate_oracle", path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


@contextmanager
def no_tails_kept() -> Iterator[None]:
    """Switch the cache of tails off."""
    longest, WITH_PERIOD.longest = WITH_PERIOD.longest, 0
    clear_caches()
    try:
        yield
    finally:
        WITH_PERIOD.longest = longest


def decode_cold(data: bytes) -> IndicationMessage:
    """Decode with no tail known."""
    clear_caches()
    return decode_indication_message(data)


def decode_bare(data: bytes) -> IndicationMessage:
    """Decode without the cache of tails."""
    with no_tails_kept():
        return decode_indication_message(data)


def kpm_cases() -> list[Case]:
    """Decoding and encoding of KPM reports."""
    theirs = kpm_oracle.oracle()
    pycrate_type = compile_for_pycrate(kpm_oracle.schema()).Oracle.Message
    cases = []
    for name, message in [
        ("KPM F1 x10", cell_report(10)),
        ("KPM F1 x50", cell_report(50)),
        ("KPM F3 33x5", ue_reports(33, 5)),
        ("KPM F3 100x5", ue_reports(100, 5)),
        ("KPM F3 200x5", ue_reports(200, 5)),
    ]:
        data = encode_indication_message(message)
        if decode_indication_message(data) != message:
            raise SystemExit(f"{name} does not come back")
        decode: dict[str, Work] = {
            "warm": partial(decode_indication_message, data),
            "cold": partial(decode_cold, data),
            "bare": partial(decode_bare, data),
            "pycrate": partial(pycrate_type.from_aper, data),
        }
        encode: dict[str, Work] = {"warm": partial(encode_indication_message, message)}
        if len(data) < 16_384:
            value = theirs.decode("Message", data)
            decode["asn1tools"] = partial(theirs.decode, "Message", data)
            encode["asn1tools"] = partial(theirs.encode, "Message", value)
        cases += [Case(f"{name} decode", len(data), decode), Case(f"{name} encode", len(data), encode)]
        # Messages in fragments are no tables.
        if decode_ue_table(data) is not None:
            table: dict[str, Work] = {"warm": partial(decode_ue_table, data)}
            rivals = {codec: work for codec, work in decode.items() if codec in ("asn1tools", "pycrate")}
            cases.append(Case(f"{name} table", len(data), table | rivals))
    return cases


def e2ap_case() -> Case:
    """Opening of the E2AP message that carries a report."""
    from pycrate_asn1dir import E2AP

    report = encode_indication_message(ue_reports(33, 5))
    data = e2ap.encode(RicIndication(RicRequestId(1021, 0), 2, 1, bytes(9), report, sn=7))
    pdu = E2AP.E2AP_PDU_Descriptions.E2AP_PDU
    return Case(
        "E2AP RICindication decode",
        len(data),
        {"warm": partial(e2ap.decode, data), "pycrate": partial(pdu.from_aper, data)},
    )


def rc_case() -> Case:
    """Encoding of slice PRB quotas, never the same twice in a row."""
    draw = random.Random(3)

    def quotas() -> tuple[SlicePrbQuota, ...]:
        shares = [(draw.randrange(30), draw.randrange(30, 101)) for _ in range(3)]
        return tuple(
            SlicePrbQuota(b"\x00\xf1\x10", index + 1, index, low, high, low)
            for index, (low, high) in enumerate(shares)
        )

    drawn = [quotas() for _ in range(500)]
    for one in drawn[:20]:
        if encode_slice_prb_quota_message(one) != rc_oracle.encode_quota_message(one):
            raise SystemExit("the two RC encodings differ")
    ours = cycle(drawn)
    theirs = cycle([rc_oracle.quota_value(one) for one in drawn])
    schema = rc_oracle.schema()
    return Case(
        "RC 3 slices encode",
        len(encode_slice_prb_quota_message(drawn[0])),
        {
            "warm": lambda: encode_slice_prb_quota_message(next(ours)),
            "asn1tools": lambda: schema.encode("Message", next(theirs)),
        },
    )


def seconds_per_call(work: Work, calls: int) -> float:
    """CPU seconds per call."""
    start = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - start) / calls


def measure(cases: Sequence[Case], repeats: int, seconds: float) -> None:
    """Fill in the least time of each case and codec; the repeats of all are interleaved."""
    calls: dict[tuple[str, str], int] = {}
    for case in cases:
        for codec, work in case.work.items():
            work()
            once = max(seconds_per_call(work, 3), 1e-7)
            calls[case.name, codec] = max(3, int(seconds / once))
    gc.collect()
    gc.freeze()
    for _ in range(repeats):
        for case in cases:
            for codec, work in case.work.items():
                work()
                taken = seconds_per_call(work, calls[case.name, codec])
                case.seconds[codec] = min(taken, case.seconds.get(codec, taken))


def show(cases: Sequence[Case]) -> None:
    """Print the table: milliseconds, and how many times as fast as asn1tools."""
    columns = ("asn1tools", "pycrate", "bare", "cold", "warm")
    head = "".join(f"{column:>11}" for column in columns)
    print(f"{'message':28}{'octets':>8}{head}{'cold x':>9}{'warm x':>9}   (ms, CPU)")
    for case in cases:
        cells = "".join(
            f"{case.seconds[column] * 1e3:11.4f}" if column in case.seconds else f"{'-':>11}" for column in columns
        )
        print(f"{case.name:28}{case.octets:8}{cells}{ratio(case, 'cold'):>9}{ratio(case, 'warm'):>9}")


def ratio(case: Case, codec: str) -> str:
    """How many times as fast as asn1tools, or as pycrate where asn1tools cannot do it (marked p)."""
    for rival, mark in (("asn1tools", ""), ("pycrate", "p")):
        if rival in case.seconds and codec in case.seconds:
            return f"{case.seconds[rival] / case.seconds[codec]:.1f}{mark}"
    return "-"


def figures(cases: Sequence[Case]) -> dict[str, Any]:
    """The figures for machines."""
    result: dict[str, Any] = {}
    for case in cases:
        key = "_".join(case.name.lower().replace("rc 3 slices", "rc_3slice").split())
        for codec, taken in case.seconds.items():
            if codec in ("asn1tools", "pycrate"):
                continue
            result[f"{key}_{codec}_ms"] = round(taken * 1e3, 5)
            if "asn1tools" not in case.seconds:
                continue
            name = f"{key}_ratio" if key == "rc_3slice_encode" else f"{key}_{codec}_ratio"
            result[name] = round(case.seconds["asn1tools"] / taken, 1)
    return result


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeats", type=int, default=7, help="interleaved repeats; the least time counts")
    parser.add_argument("--seconds", type=float, default=0.04, help="CPU seconds per codec, row and repeat")
    arguments = parser.parse_args()
    cases = [*kpm_cases(), e2ap_case(), rc_case()]
    measure(cases, max(1, arguments.repeats), arguments.seconds)
    show(cases)
    print(json.dumps(figures(cases)))


if __name__ == "__main__":
    main()
