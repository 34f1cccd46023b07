"""Who is who on E2: PLMNs, cells, E2 nodes and UEs."""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache


@lru_cache(maxsize=256)
def plmn_to_octets(mcc: str, mnc: str) -> bytes:
    """Pack a PLMN into 3 BCD octets (TS 38.413 9.3.3.5); a two-digit MNC gets the filler F."""
    if not (len(mcc) == 3 and len(mnc) in (2, 3) and (mcc + mnc).isascii() and (mcc + mnc).isdigit()):
        raise ValueError(f"PLMN {mcc!r}/{mnc!r}: the MCC has 3 digits, the MNC 2 or 3")
    third = mnc[2] if len(mnc) == 3 else "f"
    return bytes.fromhex(mcc[1] + mcc[0] + third + mcc[2] + mnc[1] + mnc[0])


def plmn_from_octets(plmn: bytes) -> tuple[str, str]:
    """Unpack 3 BCD octets into (MCC, MNC); ValueError when they hold no decimal digits."""
    digits = plmn.hex()
    mcc = digits[1] + digits[0] + digits[3]
    mnc = digits[5] + digits[4] + ("" if digits[2] == "f" else digits[2])
    if len(plmn) != 3 or not (mcc + mnc).isdigit():
        raise ValueError(f"PLMN octets {digits} are no BCD digits")
    return mcc, mnc


@dataclass(frozen=True, slots=True)
class NrCgi:
    """An NR cell: PLMN (3 octets) and the 36-bit NR cell identity."""

    plmn: bytes
    nr_cell_id: int


@dataclass(frozen=True, slots=True)
class EutraCgi:
    """An E-UTRA cell: PLMN (3 octets) and the 28-bit cell identity."""

    plmn: bytes
    eutra_cell_id: int


CellGlobalId = NrCgi | EutraCgi


class NodeKind(Enum):
    """The alternatives of GlobalE2node-ID, in wire order."""

    GNB = 0
    EN_GNB = 1
    NG_ENB = 2
    ENB = 3


@dataclass(frozen=True, slots=True)
class GlobalE2NodeId:
    """An E2 node: a gNB by default; `du_id` or `cu_up_id` tells a part of a disaggregated one.

    `node_id` is the base station id with `node_id_bits` bits: gNB and en-gNB 22..32; ng-eNB and eNB 18, 20
    (macro, home has 28) or 21.
    """

    plmn: bytes
    node_id: int
    node_id_bits: int = 32
    kind: NodeKind = NodeKind.GNB
    du_id: int | None = None
    cu_up_id: int | None = None
    extra: bytes | None = None
    """Optional parts that we carry but do not read, as their own encoding (en-gNB and ng-eNB long forms)."""

    @property
    def ran_name(self) -> str:
        """The name the OSC RIC gives this node (its MEID in RMR), e.g. `gnbd_001_001_00019b_1`."""
        digits = self.plmn.hex()
        mcc = digits[1] + digits[0] + digits[3]
        mnc = digits[2] + digits[5] + digits[4] if digits[2] != "f" else "0" + digits[5] + digits[4]
        prefix = {NodeKind.GNB: "gnb", NodeKind.EN_GNB: "en_gnb", NodeKind.NG_ENB: "ng_enb"}.get(self.kind, "enb")
        bits = f"{self.node_id:0{(self.node_id_bits + 3) // 4}x}"
        if self.kind is NodeKind.GNB and self.du_id is not None:
            return f"gnbd_{mcc}_{mnc}_{bits}_{self.du_id:x}"
        if self.kind is NodeKind.GNB and self.cu_up_id is not None:
            return f"gnbc_{mcc}_{mnc}_{bits}_{self.cu_up_id:x}"
        return f"{prefix}_{mcc}_{mnc}_{bits}"


@dataclass(frozen=True, slots=True)
class CellRnti:
    """A UE by its C-RNTI in a cell."""

    c_rnti: int
    cell: CellGlobalId


@dataclass(frozen=True, slots=True)
class Guami:
    """A globally unique AMF identifier (TS 38.413 9.3.3.3)."""

    plmn: bytes
    amf_region_id: int
    amf_set_id: int
    amf_pointer: int


@dataclass(frozen=True, slots=True)
class Gummei:
    """A globally unique MME identifier (TS 36.413 9.2.3.9)."""

    plmn: bytes
    mme_group_id: int
    mme_code: int


@dataclass(frozen=True, slots=True)
class GlobalNodeRef:
    """A base station that a UE id refers to; `node_id_bits` tells which form of id it is."""

    kind: NodeKind
    plmn: bytes
    node_id: int
    node_id_bits: int

    @property
    def identity(self) -> tuple[int, int]:
        """The id as (value, length in bits)."""
        return self.node_id, self.node_id_bits


@dataclass(frozen=True, slots=True)
class GnbUeId:
    """A UE at a gNB: its AMF id, and where known its F1AP, E1AP and RAN ids."""

    amf_ue_ngap_id: int
    guami: Guami
    f1ap_ids: tuple[int, ...] = ()
    e1ap_ids: tuple[int, ...] = ()
    ran_ue_id: bytes | None = None
    xnap_id: int | None = None
    global_gnb_id: GlobalNodeRef | None = None
    global_node_id: GlobalNodeRef | None = None
    cell_rnti: CellRnti | None = None


@dataclass(frozen=True, slots=True)
class GnbDuUeId:
    """A UE at a gNB-DU (what srsRAN's DU and our twin report)."""

    f1ap_id: int
    ran_ue_id: bytes | None = None
    cell_rnti: CellRnti | None = None


@dataclass(frozen=True, slots=True)
class GnbCuUpUeId:
    """A UE at a gNB-CU-UP."""

    e1ap_id: int
    ran_ue_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class NgEnbUeId:
    """A UE at an ng-eNB."""

    amf_ue_ngap_id: int
    guami: Guami
    w1ap_id: int | None = None
    xnap_id: int | None = None
    global_ng_enb_id: GlobalNodeRef | None = None
    global_node_id: GlobalNodeRef | None = None
    cell_rnti: CellRnti | None = None


@dataclass(frozen=True, slots=True)
class NgEnbDuUeId:
    """A UE at an ng-eNB-DU."""

    w1ap_id: int
    cell_rnti: CellRnti | None = None


@dataclass(frozen=True, slots=True)
class EnGnbUeId:
    """A UE at an en-gNB."""

    menb_x2ap_id: int
    global_enb_id: GlobalNodeRef
    menb_x2ap_id_extension: int | None = None
    f1ap_id: int | None = None
    e1ap_ids: tuple[int, ...] = ()
    ran_ue_id: bytes | None = None
    cell_rnti: CellRnti | None = None


@dataclass(frozen=True, slots=True)
class EnbUeId:
    """A UE at an eNB."""

    mme_ue_s1ap_id: int
    gummei: Gummei
    menb_x2ap_id: int | None = None
    menb_x2ap_id_extension: int | None = None
    global_enb_id: GlobalNodeRef | None = None
    cell_rnti: CellRnti | None = None


UeId = GnbUeId | GnbDuUeId | GnbCuUpUeId | NgEnbUeId | NgEnbDuUeId | EnGnbUeId | EnbUeId
