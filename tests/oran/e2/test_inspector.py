import dataclasses
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oran.e2 import inspector, registry
from oran.e2.e2ap import messages as m
from oran.e2.e2ap.codec import encode
from oran.e2.identity import GlobalE2NodeId
from oran.rmr.frame import encode_frame
from oran.rmr.message import RmrMessage
from tests.oran.e2 import capture_files as files

REQUEST = m.RicRequestId(123, 1)
REMOVAL = encode(m.E2RemovalRequest(7))
HEADER = registry.encode_from_json(
    "E2SM-KPM-IndicationHeader",
    {"indicationHeader-formats": ["indicationHeader-Format1", {"colletStartTime": {"hex": "00" * 8}}]},
)
RECORD = {"measRecord": [["integer", 57], ["real", 2.5], ["noValue", None]]}
REPORT = registry.encode_from_json(
    "E2SM-KPM-IndicationMessage",
    {"indicationMessage-formats": ["indicationMessage-Format1", {"measData": [RECORD]}]},
)
TRIGGER = bytes.fromhex("0063")
INDICATION = m.RicIndication(REQUEST, 147, 1, HEADER, REPORT, 1)


def run(*arguments: str) -> int:
    return inspector.main(arguments)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def contents(message: Any) -> dict[int, Any]:
    """The IEs of a PDU in JSON by their id."""
    return {element["id"]: element["value"][1] for element in message[1]["value"][1]["protocolIEs"]}


@pytest.mark.parametrize("form", [REMOVAL.hex(), REMOVAL.hex(" "), REMOVAL.hex(":"), "0x" + REMOVAL.hex()])
def test_decode_prints_json_that_encode_takes(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("decode", "E2AP-PDU", form) == 0
    printed = capsys.readouterr().out
    assert contents(json.loads(printed)) == {49: 7}
    assert run("encode", "E2AP-PDU", printed) == 0
    assert capsys.readouterr().out.strip() == REMOVAL.hex()


def test_arguments_come_from_files_and_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "message.hex"
    file.write_text(TRIGGER.hex() + "\n")
    assert run("decode", "E2SM-KPM-EventTriggerDefinition", f"@{file}") == 0
    printed = capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.StringIO(printed))
    assert run("encode", "E2SM-KPM-EventTriggerDefinition", "-") == 0
    assert capsys.readouterr().out.strip() == TRIGGER.hex()


def test_every_type_is_listed_and_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("types") == 0
    names = capsys.readouterr().out.split()
    assert {"E2AP-PDU", "E2SM-KPM-IndicationMessage", "E2SM-RC-ControlMessage"} <= set(names)
    for name in names:
        assert registry.codec_of(name) is registry.codecs("standard")[name]


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (("decode", "E2AP-PDU", "0"), 1, "HEX at bit 0: expected pairs"),
        (("decode", "E2AP-PDU", REMOVAL.hex()[:-2]), 1, "E2RemovalRequest at bit 32: 9 octets announced"),
        (("decode", "E2AP-PDX", "00"), 2, "did you mean E2AP-PDU"),
        (("decode", "nonsense", "00"), 2, "unknown type 'nonsense'"),
        (("decode", "E2AP-PDU", "@/nonexistent"), 2, "No such file"),
        (("encode", "E2AP-PDU", "{"), 1, "JSON: Expecting property name"),
        (("encode", "E2AP-PDU", "[" * 100_000), 1, "JSON"),
        (("encode", "E2AP-PDU", "{}"), 1, "CHOICE"),
        (("read", "/nonexistent"), 2, "No such file"),
        (("read", "--kpm-profile", "klingon", "/dev/null"), 2, "klingon"),
    ],
)
def test_what_goes_wrong_is_said(
    arguments: tuple[str, ...], status: int, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == status
    printed = capsys.readouterr()
    assert not printed.out
    assert reason in printed.err
    assert len(printed.err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [(), ("decode",), ("frobnicate",), ("decode", "E2AP-PDU")])
def test_wrong_use_is_explained(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        run(*arguments)
    assert exited.value.code == 2
    assert "usage: python -m oran.e2" in capsys.readouterr().err


def test_payloads_are_shown_beside_their_octets(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("decode", "--payloads", "E2AP-PDU", encode(INDICATION).hex()) == 0
    shown = contents(json.loads(capsys.readouterr().out))
    assert shown[25]["hex"] == HEADER.hex()
    assert "indicationHeader-formats" in shown[25]["E2SM-KPM-IndicationHeader"]
    report = shown[26]["E2SM-KPM-IndicationMessage"]["indicationMessage-formats"][1]
    assert report["measData"] == [RECORD]


def test_without_asking_payloads_stay_octets(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("decode", "E2AP-PDU", encode(INDICATION).hex()) == 0
    assert contents(json.loads(capsys.readouterr().out))[26] == {"hex": REPORT.hex()}


def test_payloads_of_no_known_model_stay_octets(capsys: pytest.CaptureFixture[str]) -> None:
    message = dataclasses.replace(INDICATION, header=b"\xff\xff", message=b"\xff\xff\xff")
    assert run("decode", "--payloads", "E2AP-PDU", encode(message).hex()) == 0
    assert contents(json.loads(capsys.readouterr().out))[26] == {"hex": "ffffff"}


def test_a_json_payload_is_shown_as_e2sm_ccc(capsys: pytest.CaptureFixture[str]) -> None:
    control = m.RicControlRequest(REQUEST, 4, b'{"controlHeaderFormat": {"ricStyleType": 2}}', b'{"a": 1}')
    assert run("decode", "--payloads", "E2AP-PDU", encode(control).hex()) == 0
    shown = contents(json.loads(capsys.readouterr().out))
    assert shown[22]["E2SM-CCC"] == {"controlHeaderFormat": {"ricStyleType": 2}}
    assert shown[23]["E2SM-CCC"] == {"a": 1}


def setup(oid: str) -> bytes:
    function = m.RanFunction(147, b"\xff", 0, oid)
    component = m.ComponentConfig(m.ComponentId("f1", number=1), b"a", b"b")
    node = GlobalE2NodeId(b"\0\xf1\x10", 411)
    return encode(m.E2SetupRequest(1, node, (function,), (component,)))


def subscription() -> bytes:
    action = m.Action(1, m.ActionType.REPORT, b"\xff")
    return encode(m.RicSubscriptionRequest(REQUEST, 147, TRIGGER, (action,)))


def test_a_trace_is_read_with_what_its_setup_announced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The event trigger would also pass for RC's; the setup says that function 147 is KPM."""
    trace = tmp_path / "trace.txt"
    trace.write_text("\n".join(item.hex() for item in (setup("1.3.6.1.4.1.53148.1.2.2.2"), subscription())))
    assert run("read", str(trace)) == 0
    first, second = lines(capsys.readouterr().out)
    function = contents(first["message"])[10][0]["value"][1]["ranFunctionDefinition"]
    assert function["hex"] == "ff"
    assert "E2SM-KPM-RANfunction-Description" in function["error"]
    details = contents(second["message"])[30]
    trigger = details["ricEventTriggerDefinition"]["E2SM-KPM-EventTriggerDefinition"]
    assert trigger["eventDefinition-formats"][1] == {"reportingPeriod": 100}
    action = details["ricAction-ToBeSetup-List"][0]["value"][1]["ricActionDefinition"]
    assert action["error"].startswith("E2SM-KPM-ActionDefinition")


def test_a_capture_of_rmr_and_sctp(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = [
        RmrMessage(12_050, encode(INDICATION), 7, "gnb_001"),
        RmrMessage(20_010, b'{"operation": "CREATE"}\0junk'),
        RmrMessage(12_001, b"10.0.0.1:36421|<E2AP-PDU/>"),
    ]
    stream = b"".join(encode_frame(frame, source="x:1", source_ip="y:2") for frame in frames)
    capture = tmp_path / "trace.pcap"
    packets = [files.tcp(stream, 1), files.sctp(files.data_chunk(REMOVAL))]
    capture.write_bytes(files.pcap(packets, 101))
    assert run("read", "--no-payloads", str(capture)) == 0
    report, policy, setup_text, removal = lines(capsys.readouterr().out)
    assert (report["rmr"]["mtype"], report["rmr"]["meid"], report["transport"]) == (12_050, "gnb_001", "rmr")
    assert contents(report["message"])[26] == {"hex": REPORT.hex()}
    assert policy["text"] == '{"operation": "CREATE"}'
    assert setup_text["text"] == "10.0.0.1:36421|<E2AP-PDU/>"
    assert (removal["number"], removal["time_s"], removal["source"]) == (2, 1001.0005, "10.0.0.1:40000")
    assert contents(removal["message"]) == {49: 7}


def test_a_bad_message_is_one_line_with_its_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "trace.txt"
    trace.write_text(f"{REMOVAL.hex()[:-2]}\n{REMOVAL.hex()}\nE2SM-Nonsense 00\n")
    assert run("read", str(trace)) == 1
    bad, good, unknown = lines(capsys.readouterr().out)
    assert "octets announced" in bad["error"]
    assert bad["hex"] == REMOVAL.hex()[:-2]
    assert contents(good["message"]) == {49: 7}
    assert "unknown type" in unknown["error"]


def test_a_file_that_is_none_is_said_after_what_could_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "trace.txt"
    trace.write_text(f"{REMOVAL.hex()}\nnonsense\n")
    assert run("read", str(trace)) == 2
    printed = capsys.readouterr()
    assert len(lines(printed.out)) == 1
    assert printed.err == f"error: {trace}: line 2 at bit 0: expected pairs of hexadecimal digits\n"


def test_what_a_capture_holds_besides_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = tmp_path / "trace.pcap"
    capture.write_bytes(files.pcap([files.ip(17, b"udp", "1.1.1.1", "1.1.1.2")] * 3, 101))
    assert run("read", str(capture)) == 0
    assert capsys.readouterr().err == "skipped 3: IP protocol 17\n"


def test_the_flexric_dialect_is_read_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    """Format 3 without a UE report of its own kind: the standard sees another format in the same octets."""
    report = {"ueID": ["gNB-DU-UEID", {"gNB-CU-UE-F1AP-ID": 3}], "measReport": {"measData": [RECORD]}}
    value = {"indicationMessage-formats": ["indicationMessage-Format3", {"ueMeasReportList": [report]}]}
    text = json.dumps(value)
    assert run("encode", "--kpm-profile", "flexric", "E2SM-KPM-IndicationMessage", text) == 0
    octets = capsys.readouterr().out.strip()
    assert run("decode", "--kpm-profile", "flexric", "E2SM-KPM-IndicationMessage", octets) == 0
    assert json.loads(capsys.readouterr().out) == value
    assert octets != registry.encode_from_json("E2SM-KPM-IndicationMessage", value).hex()


def test_the_command_runs_and_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    trace = tmp_path / "trace.txt"
    trace.write_text((encode(INDICATION).hex() + "\n") * 2000)
    command = [sys.executable, "-m", "oran.e2", "read", str(trace)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b'"transport": "hex"' in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0
