"""UE and cell identities on the wire: the common information elements of all E2 service models.

Source: O-RAN.WG3.E2SM (common part) clause 6.2; identifiers as in TS 38.413, TS 38.423 and TS 36.423.
"""

from oran.e2.aper import Reader, Writer
from oran.e2.asn1_value import JsonValue
from oran.e2.identity import (
    CellGlobalId,
    CellRnti,
    EnbUeId,
    EnGnbUeId,
    EutraCgi,
    GlobalNodeRef,
    GnbCuUpUeId,
    GnbDuUeId,
    GnbUeId,
    Guami,
    Gummei,
    NgEnbDuUeId,
    NgEnbUeId,
    NodeKind,
    NrCgi,
    UeId,
)
from oran.e2.schema import (
    Alternative,
    BitNumber,
    Bits,
    Choice,
    Component,
    Integer,
    OctetNumber,
    Octets,
    Record,
    SequenceOf,
    Type,
    Wrapped,
)
from oran.slices import SNssai

UINT32 = Integer(0, 0xFFFFFFFF)
PLMN = Octets(3, 3)
RAN_UE_ID = Octets(8, 8)
AMF_UE_NGAP_ID = Integer(0, (1 << 40) - 1)
X2AP_ID = Integer(0, 4095)
X2AP_ID_EXTENSION = Integer(0, 4095, extensible=True)

NR_CGI: Type[NrCgi] = Record(
    NrCgi,
    Component("plmn", "pLMNIdentity", PLMN),
    Component("nr_cell_id", "nRCellIdentity", BitNumber(36)),
)
EUTRA_CGI: Type[EutraCgi] = Record(
    EutraCgi,
    Component("plmn", "pLMNIdentity", PLMN),
    Component("eutra_cell_id", "eUTRACellIdentity", BitNumber(28)),
)
CELL_GLOBAL_ID: Type[CellGlobalId] = Choice(
    Alternative(NrCgi, "nR-CGI", NR_CGI),
    Alternative(EutraCgi, "eUTRA-CGI", EUTRA_CGI),
)
CELL_RNTI: Type[CellRnti] = Record(
    CellRnti,
    Component("c_rnti", "c-RNTI", Integer(0, 65535)),
    Component("cell", "cell-Global-ID", CELL_GLOBAL_ID),
)

S_NSSAI: Type[SNssai] = Record(
    SNssai,
    Component("sst", "sST", OctetNumber(1)),
    Component("sd", "sD", OctetNumber(3), optional=True),
)

GUAMI: Type[Guami] = Record(
    Guami,
    Component("plmn", "pLMNIdentity", PLMN),
    Component("amf_region_id", "aMFRegionID", BitNumber(8)),
    Component("amf_set_id", "aMFSetID", BitNumber(10)),
    Component("amf_pointer", "aMFPointer", BitNumber(6)),
)
GUMMEI: Type[Gummei] = Record(
    Gummei,
    Component("plmn", "pLMN-Identity", PLMN),
    Component("mme_group_id", "mME-Group-ID", OctetNumber(2)),
    Component("mme_code", "mME-Code", OctetNumber(1)),
)


def _node(kind: NodeKind, name: str, identity: Type[tuple[int, int]]) -> Type[GlobalNodeRef]:
    def build(plmn: bytes, identity: tuple[int, int]) -> GlobalNodeRef:
        return GlobalNodeRef(kind, plmn, *identity)

    return Record(build, Component("plmn", "pLMNIdentity", PLMN), Component("identity", name, identity))


def _bit_count(identity: tuple[int, int]) -> int:
    return identity[1]


GLOBAL_GNB_ID = _node(
    NodeKind.GNB, "gNB-ID", Choice(Alternative(0, "gNB-ID", Bits(22, 32)), key=lambda identity: 0)
)
GLOBAL_NG_ENB_ID = _node(
    NodeKind.NG_ENB,
    "ngENB-ID",
    Choice(
        Alternative(20, "macroNgENB-ID", Bits(20, 20)),
        Alternative(18, "shortMacroNgENB-ID", Bits(18, 18)),
        Alternative(21, "longMacroNgENB-ID", Bits(21, 21)),
        key=_bit_count,
    ),
)
GLOBAL_ENB_ID = _node(
    NodeKind.ENB,
    "eNB-ID",
    Choice(
        Alternative(20, "macro-eNB-ID", Bits(20, 20)),
        Alternative(28, "home-eNB-ID", Bits(28, 28)),
        Alternative(18, "short-Macro-eNB-ID", Bits(18, 18), addition=True),
        Alternative(21, "long-Macro-eNB-ID", Bits(21, 21), addition=True),
        key=_bit_count,
    ),
)
GLOBAL_NG_RAN_NODE_ID: Type[GlobalNodeRef] = Choice(
    Alternative(NodeKind.GNB, "gNB", GLOBAL_GNB_ID),
    Alternative(NodeKind.NG_ENB, "ng-eNB", GLOBAL_NG_ENB_ID),
    key=lambda node: node.kind,
)

_E1AP_IDS = SequenceOf(Wrapped("gNB-CU-CP-UE-E1AP-ID", UINT32), 1, 65535)
_F1AP_IDS = SequenceOf(Wrapped("gNB-CU-UE-F1AP-ID", UINT32), 1, 4)

UE_ID: Type[UeId] = Choice(
    Alternative(
        GnbUeId,
        "gNB-UEID",
        Record(
            GnbUeId,
            Component("amf_ue_ngap_id", "amf-UE-NGAP-ID", AMF_UE_NGAP_ID),
            Component("guami", "guami", GUAMI),
            Component("f1ap_ids", "gNB-CU-UE-F1AP-ID-List", _F1AP_IDS, optional=True),
            Component("e1ap_ids", "gNB-CU-CP-UE-E1AP-ID-List", _E1AP_IDS, optional=True),
            Component("ran_ue_id", "ran-UEID", RAN_UE_ID, optional=True),
            Component("xnap_id", "m-NG-RAN-UE-XnAP-ID", UINT32, optional=True),
            Component("global_gnb_id", "globalGNB-ID", GLOBAL_GNB_ID, optional=True),
            Component("global_node_id", "globalNG-RANNode-ID", GLOBAL_NG_RAN_NODE_ID, addition=True),
            Component("cell_rnti", "cell-RNTI", CELL_RNTI, addition=True),
        ),
    ),
    Alternative(
        GnbDuUeId,
        "gNB-DU-UEID",
        Record(
            GnbDuUeId,
            Component("f1ap_id", "gNB-CU-UE-F1AP-ID", UINT32),
            Component("ran_ue_id", "ran-UEID", RAN_UE_ID, optional=True),
            Component("cell_rnti", "cell-RNTI", CELL_RNTI, addition=True),
        ),
    ),
    Alternative(
        GnbCuUpUeId,
        "gNB-CU-UP-UEID",
        Record(
            GnbCuUpUeId,
            Component("e1ap_id", "gNB-CU-CP-UE-E1AP-ID", UINT32),
            Component("ran_ue_id", "ran-UEID", RAN_UE_ID, optional=True),
        ),
    ),
    Alternative(
        NgEnbUeId,
        "ng-eNB-UEID",
        Record(
            NgEnbUeId,
            Component("amf_ue_ngap_id", "amf-UE-NGAP-ID", AMF_UE_NGAP_ID),
            Component("guami", "guami", GUAMI),
            Component("w1ap_id", "ng-eNB-CU-UE-W1AP-ID", UINT32, optional=True),
            Component("xnap_id", "m-NG-RAN-UE-XnAP-ID", UINT32, optional=True),
            Component("global_ng_enb_id", "globalNgENB-ID", GLOBAL_NG_ENB_ID, optional=True),
            Component("global_node_id", "globalNG-RANNode-ID", GLOBAL_NG_RAN_NODE_ID, addition=True),
            Component("cell_rnti", "cell-RNTI", CELL_RNTI, addition=True),
        ),
    ),
    Alternative(
        NgEnbDuUeId,
        "ng-eNB-DU-UEID",
        Record(
            NgEnbDuUeId,
            Component("w1ap_id", "ng-eNB-CU-UE-W1AP-ID", UINT32),
            Component("cell_rnti", "cell-RNTI", CELL_RNTI, addition=True),
        ),
    ),
    Alternative(
        EnGnbUeId,
        "en-gNB-UEID",
        Record(
            EnGnbUeId,
            Component("menb_x2ap_id", "m-eNB-UE-X2AP-ID", X2AP_ID),
            Component("menb_x2ap_id_extension", "m-eNB-UE-X2AP-ID-Extension", X2AP_ID_EXTENSION, optional=True),
            Component("global_enb_id", "globalENB-ID", GLOBAL_ENB_ID),
            Component("f1ap_id", "gNB-CU-UE-F1AP-ID", UINT32, optional=True),
            Component("e1ap_ids", "gNB-CU-CP-UE-E1AP-ID-List", _E1AP_IDS, optional=True),
            Component("ran_ue_id", "ran-UEID", RAN_UE_ID, optional=True),
            Component("cell_rnti", "cell-RNTI", CELL_RNTI, addition=True),
        ),
    ),
    Alternative(
        EnbUeId,
        "eNB-UEID",
        Record(
            EnbUeId,
            Component("mme_ue_s1ap_id", "mME-UE-S1AP-ID", UINT32),
            Component("gummei", "gUMMEI", GUMMEI),
            Component("menb_x2ap_id", "m-eNB-UE-X2AP-ID", X2AP_ID, optional=True),
            Component("menb_x2ap_id_extension", "m-eNB-UE-X2AP-ID-Extension", X2AP_ID_EXTENSION, optional=True),
            Component("global_enb_id", "globalENB-ID", GLOBAL_ENB_ID, optional=True),
            Component("cell_rnti", "cell-RNTI", CELL_RNTI, addition=True),
        ),
    ),
)

_PLAIN_DU_UE_ID = 0b000100
"""No extension, alternative 1 of 7, SEQUENCE without extension and without a RAN UE id."""


def read_ue_id(reader: Reader, field: str) -> UeId:
    """Read a UEID; the gNB-DU's short form, which fills per-UE reports, by the quick path."""
    start = reader.position
    if reader.bits(6, field) == _PLAIN_DU_UE_ID:
        return GnbDuUeId(reader.constrained(0, 0xFFFFFFFF, field))
    reader.position = start
    return UE_ID.read(reader, field)


def write_ue_id(writer: Writer, ue_id: UeId, field: str = "ueID") -> None:
    """Write a UEID."""
    if type(ue_id) is GnbDuUeId and ue_id.ran_ue_id is None and ue_id.cell_rnti is None:
        writer.bits(_PLAIN_DU_UE_ID, 6)
        writer.constrained(ue_id.f1ap_id, 0, 0xFFFFFFFF, field)
    else:
        UE_ID.write(writer, ue_id, field)


def ue_id_to_asn1(ue_id: UeId) -> JsonValue:
    """Project a UEID to JSON."""
    return UE_ID.to_asn1(ue_id)


def ue_id_from_asn1(value: JsonValue, field: str = "ueID") -> UeId:
    """Take a UEID from JSON."""
    return UE_ID.from_asn1(value, field)


def read_cell_global_id(reader: Reader, field: str) -> CellGlobalId:
    """Read a CGI."""
    return CELL_GLOBAL_ID.read(reader, field)


def write_cell_global_id(writer: Writer, cell: CellGlobalId, field: str = "cellGlobalID") -> None:
    """Write a CGI."""
    CELL_GLOBAL_ID.write(writer, cell, field)


def cell_global_id_to_asn1(cell: CellGlobalId) -> JsonValue:
    """Project a CGI to JSON."""
    return CELL_GLOBAL_ID.to_asn1(cell)


def cell_global_id_from_asn1(value: JsonValue, field: str = "cellGlobalID") -> CellGlobalId:
    """Take a CGI from JSON."""
    return CELL_GLOBAL_ID.from_asn1(value, field)


def read_snssai(reader: Reader, field: str) -> SNssai:
    """Read an S-NSSAI."""
    return S_NSSAI.read(reader, field)


def write_snssai(writer: Writer, slice_id: SNssai, field: str = "sliceID") -> None:
    """Write an S-NSSAI."""
    S_NSSAI.write(writer, slice_id, field)


def snssai_to_asn1(slice_id: SNssai) -> JsonValue:
    """Project an S-NSSAI to JSON."""
    return S_NSSAI.to_asn1(slice_id)


def snssai_from_asn1(value: JsonValue, field: str = "sliceID") -> SNssai:
    """Take an S-NSSAI from JSON."""
    return S_NSSAI.from_asn1(value, field)
