"""UE, cell and slice identities: their bytes, their JSON, and what happens to broken ones."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oran.e2.aper import Reader, Writer
from oran.e2.errors import DecodeError, EncodeError
from oran.e2.identity import (
    EnbUeId,
    EutraCgi,
    GlobalNodeRef,
    GnbDuUeId,
    GnbUeId,
    Guami,
    Gummei,
    NodeKind,
    NrCgi,
    UeId,
)
from oran.e2.ue_id import (
    CELL_GLOBAL_ID,
    S_NSSAI,
    UE_ID,
    cell_global_id_from_asn1,
    cell_global_id_to_asn1,
    read_cell_global_id,
    read_snssai,
    read_ue_id,
    snssai_from_asn1,
    snssai_to_asn1,
    ue_id_from_asn1,
    ue_id_to_asn1,
    write_cell_global_id,
    write_snssai,
    write_ue_id,
)
from oran.slices import SNssai
from tests.oran.e2 import rc_oracle
from tests.oran.e2.schema_strategies import values

PLMN = b"\x00\xf1\x10"


def encoded(ue: UeId) -> bytes:
    writer = Writer()
    write_ue_id(writer, ue)
    return writer.getvalue()


@pytest.mark.parametrize(
    ("ue", "octets"),
    [
        # CHOICE: not extended, alternative 1 of 7; SEQUENCE: not extended, no RAN UE id; one octet follows.
        (GnbDuUeId(5), "1005"),
        # Two length bits: three octets follow.
        (GnbDuUeId(0x12345), "12012345"),
        # The optional bit is set; the RAN UE id needs no alignment of its own.
        (GnbDuUeId(5, bytes(range(8))), "14050001020304050607"),
    ],
)
def test_a_du_ue_id_has_these_octets(ue: UeId, octets: str) -> None:
    written = encoded(ue)
    assert read_ue_id(Reader(written), "ueID") == ue
    assert written == rc_oracle.encode_ue_id(ue)
    assert written.hex() == octets


@given(values(UE_ID))
def test_what_is_written_is_read_back(ue: UeId) -> None:
    reader = Reader(encoded(ue))
    assert read_ue_id(reader, "ueID") == ue
    assert reader.end - reader.position < 8


@given(values(UE_ID))
def test_the_quick_path_writes_what_the_declaration_says(ue: UeId) -> None:
    assert encoded(ue) == UE_ID.encode(ue)


@given(values(UE_ID))
def test_another_codec_writes_the_same_octets(ue: UeId) -> None:
    assert encoded(ue) == rc_oracle.encode_ue_id(ue)


@given(values(UE_ID))
def test_json_carries_all(ue: UeId) -> None:
    assert ue_id_from_asn1(json.loads(json.dumps(ue_id_to_asn1(ue)))) == ue


@given(values(UE_ID), st.data())
def test_a_cut_ue_id_is_refused(ue: UeId, data: st.DataObject) -> None:
    octets = encoded(ue)
    cut = data.draw(st.integers(0, len(octets) - 1))
    with pytest.raises(DecodeError):
        read_ue_id(Reader(octets[:cut]), "ueID")


@given(st.binary(max_size=64))
def test_any_octets_give_a_ue_id_or_a_decode_error(octets: bytes) -> None:
    try:
        ue = read_ue_id(Reader(octets), "ueID")
    except DecodeError:
        return
    assert read_ue_id(Reader(encoded(ue)), "ueID") == ue


def test_unknown_additions_are_read_over() -> None:
    known = GnbDuUeId(7)
    writer = Writer()
    writer.bits(0b0001_1_0, 6)
    writer.constrained(7, 0, 0xFFFFFFFF, "id")
    writer.extension_additions([None, b"\xaa\xbb"])
    writer.octets(b"\x2a")
    reader = Reader(writer.getvalue())
    assert read_ue_id(reader, "ueID") == known
    assert reader.octets(1, "next") == b"\x2a"


def test_json_of_a_gnb_ue_id_has_the_standards_names() -> None:
    ue = GnbUeId(7, Guami(PLMN, 1, 2, 3), f1ap_ids=(9,), global_gnb_id=GlobalNodeRef(NodeKind.GNB, PLMN, 411, 22))
    assert ue_id_to_asn1(ue) == [
        "gNB-UEID",
        {
            "amf-UE-NGAP-ID": 7,
            "guami": {
                "pLMNIdentity": {"hex": "00f110"},
                "aMFRegionID": [{"hex": "01"}, 8],
                "aMFSetID": [{"hex": "0080"}, 10],
                "aMFPointer": [{"hex": "0c"}, 6],
            },
            "gNB-CU-UE-F1AP-ID-List": [{"gNB-CU-UE-F1AP-ID": 9}],
            "globalGNB-ID": {
                "pLMNIdentity": {"hex": "00f110"},
                "gNB-ID": ["gNB-ID", [{"hex": "00066c"}, 22]],
            },
        },
    ]


@pytest.mark.parametrize("bits", [18, 20, 21, 28])
def test_every_form_of_enb_id_is_told_by_its_length(bits: int) -> None:
    ue = EnbUeId(1, Gummei(PLMN, 2, 3), global_enb_id=GlobalNodeRef(NodeKind.ENB, PLMN, 77, bits))
    assert read_ue_id(Reader(encoded(ue)), "ueID") == ue


def test_a_wrong_length_of_enb_id_is_refused() -> None:
    with pytest.raises(EncodeError, match="macro-eNB-ID"):
        encoded(EnbUeId(1, Gummei(PLMN, 2, 3), global_enb_id=GlobalNodeRef(NodeKind.ENB, PLMN, 77, 19)))


def test_errors_name_the_field() -> None:
    with pytest.raises(EncodeError) as raised:
        encoded(GnbUeId(1, Guami(PLMN, 1, 1024, 3)))
    assert raised.value.field == "ueID.gNB-UEID.guami.aMFSetID"
    with pytest.raises(EncodeError) as raised:
        ue_id_from_asn1(["gNB-DU-UEID", {"gNB-CU-UE-F1AP-ID": "5"}])
    assert raised.value.field == "ueID.gNB-DU-UEID.gNB-CU-UE-F1AP-ID"
    with pytest.raises(EncodeError, match="missing"):
        ue_id_from_asn1(["gNB-DU-UEID", {}])
    with pytest.raises(EncodeError, match="unknown"):
        ue_id_from_asn1(["gNB-DU-UEID", {"gNB-CU-UE-F1AP-ID": 5, "rnti": 1}])


@given(values(CELL_GLOBAL_ID))
def test_cells_round_trip(cell: NrCgi | EutraCgi) -> None:
    writer = Writer()
    write_cell_global_id(writer, cell)
    assert read_cell_global_id(Reader(writer.getvalue()), "cell") == cell
    assert cell_global_id_from_asn1(json.loads(json.dumps(cell_global_id_to_asn1(cell)))) == cell


@given(values(S_NSSAI))
def test_slices_round_trip(slice_id: SNssai) -> None:
    writer = Writer()
    write_snssai(writer, slice_id)
    assert read_snssai(Reader(writer.getvalue()), "slice") == slice_id
    assert snssai_from_asn1(json.loads(json.dumps(snssai_to_asn1(slice_id)))) == slice_id
