"""RAN functions are matched by OID, whatever its version."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oran.e2.functions import CCC_OID, FUNCTION_NAME, KPM_OID, RC_OID, FunctionName, ServiceModel, find, match
from tests.oran.e2.schema_strategies import values


@dataclass(frozen=True)
class Offered:
    id: int
    oid: str


@pytest.mark.parametrize(
    ("oid", "model", "version"),
    [
        (KPM_OID, ServiceModel.KPM, 2),
        (RC_OID, ServiceModel.RC, 1),
        (CCC_OID, ServiceModel.CCC, 6),
        ("1.3.6.1.4.1.53148.1.12.2.3", ServiceModel.RC, 12),
    ],
)
def test_a_service_model_is_known_by_its_last_arc(oid: str, model: ServiceModel, version: int) -> None:
    assert match(oid) == (model, version)


@pytest.mark.parametrize(
    "oid",
    [
        "",
        "1.3.6.1.4.1.53148.1.2.2.99",
        "1.3.6.1.4.1.53148.1.2.2.2.1",
        "1.3.6.1.4.1.53148.2.2.2.2",
        "11.3.6.1.4.1.53148.1.2.2.2",
        "1.3.6.1.4.1.53148.1.x.2.2",
        "1.3.6.1.4.1.53148.1.2.2.2\n",
        "1.3.6.1.4.1.53148.1." + "9" * 5000 + ".2.2",
    ],
)
def test_other_oids_are_nobodys(oid: str) -> None:
    assert match(oid) is None


@given(st.from_regex(r"1\.3\.6\.1\.4\.1\.53148\.1\.[0-9]{1,9}\.2\.[0-9]{1,3}", fullmatch=True))
def test_what_is_matched_is_in_the_oid(oid: str) -> None:
    arcs = [int(arc) for arc in oid.split(".")]
    found = match(oid)
    assert (found is not None) == (arcs[-1] in (2, 3, 4))
    if found is not None:
        assert (found[0].value, found[1]) == (arcs[-1], arcs[-3])


def test_the_highest_version_wins_and_ids_do_not_matter() -> None:
    offered = [
        Offered(147, KPM_OID),
        Offered(3, "1.3.6.1.4.1.53148.1.1.2.3"),
        Offered(9, "1.3.6.1.4.1.53148.1.4.2.3"),
        Offered(10, "1.3.6.1.4.1.53148.1.4.2.3"),
        Offered(5, "not an oid"),
    ]
    kpm, rc = find(offered, ServiceModel.KPM), find(offered, ServiceModel.RC)
    assert kpm is not None
    assert kpm.id == 147
    assert rc is not None
    assert rc.id == 9
    assert find(offered, ServiceModel.CCC) is None


@given(values(FUNCTION_NAME))
def test_a_function_name_round_trips(name: FunctionName) -> None:
    assert FUNCTION_NAME.decode(FUNCTION_NAME.encode(name)) == name
