import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oran.a1.errors import A1Error
from oran.a1.policy import Status
from oran.a1.slice_sla import TYPE_ID
from oran.sla import SliceSla
from tests.xapps.slicing.cells import EMBB, URLLC
from xapps.slicing.policies import MAX_POLICIES, PolicyStore

PLMN = ("001", "01")
BASE = (SliceSla(EMBB, throughput_bps=5e6), SliceSla(URLLC, delay_s=0.01, weight=2.0))


def store() -> PolicyStore:
    return PolicyStore(BASE, PLMN, "ranloop-slicing")


def message(
    operation: str,
    instance: str,
    delay_ms: float | None = 5,
    *,
    sst: int = 2,
    as_text: bool = False,
    words: str = "",
) -> bytes:
    policy = {
        "scope": {"sliceId": {"sst": sst, "sd": "000001", "plmnId": {"mcc": "001", "mnc": "01"}}},
        "sliceSlaObjectives": {"maxDlPacketDelayPerUe": delay_ms},
        **({"intentText": words} if words else {}),
    }
    body = {
        "operation": operation,
        "policy_type_id": str(TYPE_ID) if as_text else TYPE_ID,
        "policy_instance_id": instance,
        "payload": ("" if operation == "DELETE" else json.dumps(policy)) if as_text else policy,
    }
    return json.dumps(body).encode()


@pytest.mark.parametrize("as_text", [True, False])
def test_a_policy_is_created_updated_and_deleted(as_text: bool) -> None:
    policies = store()
    status, answer = policies.handle(message("CREATE", "tight", 5, as_text=as_text))
    assert status is Status.OK
    assert json.loads(answer) == {
        "policy_type_id": TYPE_ID,
        "policy_instance_id": "tight",
        "handler_id": "ranloop-slicing",
        "status": "OK",
    }
    assert policies.targets.delay_s[1] == pytest.approx(0.005)
    assert policies.handle(message("UPDATE", "tight", 2, as_text=as_text))[0] is Status.OK
    assert policies.targets.delay_s[1] == pytest.approx(0.002)
    assert len(policies) == 1
    assert policies.handle(message("DELETE", "tight", as_text=as_text))[0] is Status.DELETED
    assert policies.promises == BASE
    assert len(policies) == 0


def test_the_later_policy_holds_and_the_earlier_returns_when_it_goes() -> None:
    policies = store()
    policies.handle(message("CREATE", "one", 8))
    policies.handle(message("CREATE", "two", 4))
    assert policies.targets.delay_s[1] == pytest.approx(0.004)
    policies.handle(message("DELETE", "two"))
    assert policies.targets.delay_s[1] == pytest.approx(0.008)


def test_the_words_in_force_are_those_of_all_policies_in_the_order_they_came() -> None:
    policies = store()
    assert policies.words == ""
    policies.handle(message("CREATE", "one", words="Protect the factory."))
    policies.handle(message("CREATE", "two"))
    policies.handle(message("CREATE", "three", words="Video may wait."))
    assert policies.words == "Protect the factory. Video may wait."
    policies.handle(message("UPDATE", "one", words="Spare the factory."))
    assert policies.words == "Spare the factory. Video may wait."
    policies.handle(message("CREATE", "bad", sst=9, words="Obey."))
    policies.handle(message("DELETE", "one"))
    assert policies.words == "Video may wait."


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (message("CREATE", "bad", -1), "maxDlPacketDelayPerUe"),
        (message("CREATE", "bad", sst=9), "not controlled here"),
        (message("CREATE", "bad").replace(b'"01"', b'"02"'), "PLMN 001-02"),
        (message("CREATE", "bad").replace(str(TYPE_ID).encode(), b"7"), "policy type 7"),
        (message("WISH", "bad"), "operation"),
    ],
)
def test_a_policy_that_cannot_be_kept_is_answered_with_the_reason(request_: bytes, reason: str) -> None:
    policies = store()
    status, answer = policies.handle(request_)
    assert status is Status.ERROR
    assert reason in json.loads(answer)["reason"]
    assert policies.promises == BASE


def test_a_bad_update_leaves_the_policy_in_force() -> None:
    policies = store()
    policies.handle(message("CREATE", "tight", 5))
    policies.handle(message("UPDATE", "tight", -5))
    assert policies.targets.delay_s[1] == pytest.approx(0.005)


def test_policies_are_bounded() -> None:
    policies = store()
    answers = [policies.handle(message("CREATE", f"p{index}"))[0] for index in range(MAX_POLICIES + 1)]
    assert answers[-2:] == [Status.OK, Status.ERROR]


@given(st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(A1Error):
        store().handle(noise)
