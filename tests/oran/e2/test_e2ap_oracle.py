"""Our E2AP codec against pycrate's, which was compiled from the standard's own module."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycrate_asn1dir import E2AP

from oran.e2.e2ap import asn1, codec
from oran.e2.e2ap.messages import E2apMessage
from oran.e2.e2ap.procedures import BY_MESSAGE, OUTCOMES, PROCEDURES
from tests.oran.e2.e2ap_strategies import BY_CLASS

PDU = E2AP.E2AP_PDU_Descriptions.E2AP_PDU


def shown(value: Any) -> Any:
    """A value of pycrate's in the form that we print."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, tuple | list):
        return [shown(item) for item in value]
    if isinstance(value, dict):
        return {name: shown(item) for name, item in value.items()}
    return value


def given_to_oracle(value: Any) -> Any:
    """A value that we print in the form that pycrate takes."""
    if isinstance(value, dict):
        if value.keys() == {"hex"}:
            return bytes.fromhex(value["hex"])
        return {name: given_to_oracle(item) for name, item in value.items()}
    if isinstance(value, list):
        items = [given_to_oracle(item) for item in value]
        pair = len(items) == 2 and (isinstance(items[0], str) or all(isinstance(item, int) for item in items))
        return tuple(items) if pair else items
    return value


@pytest.mark.parametrize("kind", BY_CLASS, ids=lambda kind: kind.__name__)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_both_codecs_write_the_same_octets_and_read_the_same_value(
    kind: type[E2apMessage], data: st.DataObject
) -> None:
    message = data.draw(BY_CLASS[kind])
    encoded = codec.encode(message)
    value = asn1.to_asn1(message)
    PDU.from_aper(encoded)
    assert shown(PDU.get_val()) == value
    PDU.set_val(given_to_oracle(value))
    assert PDU.to_aper() == encoded


def test_procedures_and_criticalities_are_the_standards() -> None:
    oracle = {
        (row["procedureCode"], outcome): (row[key]._typeref.called[1], row["criticality"])
        for row in E2AP.E2AP_PDU_Descriptions.E2AP_ELEMENTARY_PROCEDURES().root
        for outcome, key in enumerate(("InitiatingMessage", "SuccessfulOutcome", "UnsuccessfulOutcome"))
        if key in row
    }
    for procedure in PROCEDURES:
        expected = (procedure.name, ("reject", "ignore")[procedure.criticality])
        assert oracle[procedure.code, procedure.outcome] == expected
    assert len(BY_MESSAGE) == len(PROCEDURES) == 30
    assert len(OUTCOMES) == 3


def test_ies_have_the_standards_ids_names_criticalities_and_order() -> None:
    contents = E2AP.E2AP_PDU_Contents
    for procedure in PROCEDURES:
        container = getattr(contents, procedure.name.replace("-", "_"))
        rows = container._cont["protocolIEs"]._cont._cont["id"]._const_tab
        listed = rows().root + list(rows().ext or [])
        expected = [(row["id"], row["Value"]._typeref.called[1], row["criticality"]) for row in listed]
        ours = [(ie.id, ie.name, ("reject", "ignore")[ie.criticality]) for ie in procedure.ies]
        assert ours == expected, procedure.name
