"""Recording live E2 traffic and playing it back, on loopback with a live RIC."""

import asyncio
import itertools
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oran import kpi
from oran.e2.capture import read_messages
from oran.e2.e2ap.codec import decode
from oran.e2.e2ap.messages import (
    E2SetupRequest,
    RicIndication,
    RicRequestId,
    RicSubscriptionRequest,
)
from oran.e2.identity import GlobalE2NodeId, NodeKind, plmn_to_octets
from oran.e2.kpm.codec import decode_indication_header, decode_indication_message
from oran.e2.kpm.messages import (
    ActionDefinition,
    ActionFormat1,
    IndicationFormat1,
    IndicationFormat3,
    Label,
    MeasurementInfo,
)
from oran.ric import NearRtRic
from ranloop.errors import RecordingError
from ranloop.recorder import RecordConfig, RecordCounts, node_id_of, record, subscriptions_for
from ranloop.recording import (
    RecordedNode,
    Recording,
    RecordingWriter,
    read_recording,
    write_recording,
)
from ranloop.replay import ReplayConfig, replay, streams
from ranloop.twin_recording import record_twin
from tests.twin.e2node_loop import ric_config, running, until, xapp_on
from tests.twin.test_e2node_reports import END_S, sample
from twin.e2node.cell import Cell
from twin.e2node.config import NodeConfig
from twin.e2node.functions import ran_functions
from twin.e2node.node import E2Node

CONFIG = NodeConfig()
LABELS = tuple(Label(slice_id=item) for item in CONFIG.slices)
CELL_REPORT = ActionDefinition(1, ActionFormat1((MeasurementInfo(kpi.PRB_USED_DL, LABELS),), 100))


def indication(number: int, size: int = 20) -> RicIndication:
    return RicIndication(RicRequestId(123, 7), 2, 1, b"header %d" % number, bytes(size), sn=number)


def recording(nodes: int = 2, indications: int = 3, size: int = 20) -> Recording:
    return Recording(
        tuple(
            RecordedNode(
                NodeConfig(du=du).node_id,
                ran_functions(NodeConfig(du=du)),
                tuple((1000.0 + number * 0.1, indication(number, size)) for number in range(indications)),
            )
            for du in range(1, nodes + 1)
        )
    )


@pytest.mark.parametrize("size", [0, 20, 16_384, 59_990, 60_000, 200_000])
def test_a_recording_comes_back_as_it_was_written(tmp_path: Path, size: int) -> None:
    written = recording(size=size)
    write_recording(written, tmp_path / "r.pcap")
    back = read_recording(tmp_path / "r.pcap")
    assert [(node.node_id, node.functions) for node in back.nodes] == [
        (node.node_id, node.functions) for node in written.nodes
    ]
    for was, now in zip(written.nodes, back.nodes, strict=True):
        assert [item for _, item in now.indications] == [item for _, item in was.indications]
        assert [time_s for time_s, _ in now.indications] == pytest.approx([1000.0, 1000.1, 1000.2], abs=1e-5)
    assert back.indications == 6
    assert back.duration_s == pytest.approx(0.2, abs=1e-5)


def test_each_node_has_an_address_of_its_own(tmp_path: Path) -> None:
    write_recording(recording(nodes=300, indications=1), tmp_path / "r.pcap")
    with (tmp_path / "r.pcap").open("rb") as file:
        found = {message.source for message in read_messages(file)}
    assert len(found) == 300


def test_an_independent_reader_finds_e2ap_in_it(tmp_path: Path) -> None:
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    write_recording(recording(), tmp_path / "r.pcap")
    fields = ["-T", "fields", "-e", "sctp.data_payload_proto_id"]
    shown = subprocess.run(
        [program, "-r", str(tmp_path / "r.pcap"), *fields], capture_output=True, text=True, check=True, timeout=60
    )
    assert shown.stdout.split() == ["70"] * 8


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xd4\xc3\xb2\xa1", b"\xd4\xc3\xb2\xa1" + bytes(20)])
def test_a_file_without_nodes_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.pcap").write_bytes(content)
    with pytest.raises(RecordingError, match=r"r\.pcap"):
        read_recording(tmp_path / "r.pcap")


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="nothing-here"):
        read_recording(tmp_path / "nothing-here")


def test_a_cut_file_gives_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "r.pcap"
    write_recording(recording(nodes=1), path)
    path.write_bytes(path.read_bytes()[:-10])
    assert read_recording(path).indications == 2


@settings(deadline=None)
@given(place=st.integers(24, 3000), value=st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "r.pcap"
    write_recording(recording(), path)
    content = bytearray(path.read_bytes())
    content[place % len(content)] = value
    path.write_bytes(content)
    try:
        back = read_recording(path)
    except RecordingError:
        return
    assert back.indications <= 6


@pytest.mark.parametrize(
    "node_id",
    [
        NodeConfig(du=9).node_id,
        GlobalE2NodeId(plmn_to_octets("310", "411"), 0x1234567, 28),
        GlobalE2NodeId(plmn_to_octets("001", "01"), 0xABCDEF12, 32, cu_up_id=5),
        GlobalE2NodeId(plmn_to_octets("001", "01"), 0x19B, 24, NodeKind.EN_GNB),
    ],
)
def test_a_node_is_known_by_its_name(node_id: GlobalE2NodeId) -> None:
    assert node_id_of(node_id.ran_name) == node_id


@settings(deadline=None)
@given(st.text(max_size=30) | st.from_regex(r"(en_)?gnb[dc]?(_[0-9a-fx]{0,9}){0,5}", fullmatch=True))
def test_any_name_is_a_node_or_refused(name: str) -> None:
    try:
        node_id = node_id_of(name)
    except RecordingError:
        return
    assert node_id.ran_name == name


def test_one_more_setup_does_not_make_one_more_node(tmp_path: Path) -> None:
    with (tmp_path / "r.pcap").open("wb") as file:
        writer = RecordingWriter(file)
        for time_s in (1.0, 2.0):
            writer.node(CONFIG.node_id, ran_functions(CONFIG), time_s)
        writer.from_node(CONFIG.name, b"no E2AP", 3.0)
        with pytest.raises(KeyError):
            writer.from_node("stranger", b"", 4.0)
    (node,) = read_recording(tmp_path / "r.pcap").nodes
    assert node.indications == ()


@asynccontextmanager
async def live_nodes(ric: NearRtRic, count: int = 2) -> AsyncIterator[list[E2Node]]:
    """Nodes that measure ten times as fast as their period says."""
    configs = [NodeConfig(du=du) for du in range(1, count + 1)]
    nodes = [E2Node(ric.addresses["e2"], config, Cell(config.slices)) for config in configs]

    async def measure() -> None:
        for step in itertools.count():
            for number, node in enumerate(nodes):
                node.publish(sample(150, first=1 + 1000 * number), END_S + step * 0.1)
            await asyncio.sleep(0.02)

    async with running(*(asyncio.create_task(node.run()) for node in nodes), asyncio.create_task(measure())):
        await until(lambda: all(node.link.connected.is_set() for node in nodes))
        await until(lambda: len(ric.nodes.connected()) == count)
        yield nodes


async def record_live(path: Path, reports: str) -> RecordCounts:
    async with NearRtRic(ric_config()) as ric, live_nodes(ric) as nodes:
        stop = asyncio.Event()
        config = RecordConfig(
            subscription_url=ric.addresses["subscription"],
            e2mgr_url=ric.addresses["e2mgr"],
            route_manager=ric.addresses["rmr"],
            reports=reports,
            slices=CONFIG.slices,
        )
        recorder = asyncio.create_task(record(config, path, stop=stop))
        await until(lambda: recorder.done() or all(node.link.sent >= 12 for node in nodes))
        stop.set()
        counts = await recorder
        await until(lambda: all(node.subscriptions == 0 for node in nodes))
        return counts


async def test_live_traffic_is_recorded_and_played_back_to_another_ric(tmp_path: Path) -> None:
    path = tmp_path / "live.pcap"
    counts = await record_live(path, "both")
    assert counts.nodes == 2
    assert counts.unreadable == []
    made = read_recording(path)
    assert made.indications == counts.indications > 0
    with path.open("rb") as file:
        kinds = {type(decode(message.data)) for message in read_messages(file)}
    assert kinds == {E2SetupRequest, RicSubscriptionRequest, RicIndication}
    async with NearRtRic(ric_config()) as ric, xapp_on(ric) as xapp:
        playing = asyncio.create_task(replay(made, ReplayConfig(ric=ric.addresses["e2"], period_s=0.01, loops=2)))
        await until(lambda: len(ric.nodes.connected()) == 2)
        names = [node.name for node in made.nodes]
        for name in names:
            await xapp.subscribe(name, 2, CELL_REPORT)
        async with asyncio.timeout(20):
            played = await playing
        lengths = {node.name: len(streams(node)[False]) for node in made.nodes}
        await until(lambda: all(len(xapp.indications(name)) == 2 * lengths[name] for name in names))
        assert played.indications == 2 * sum(lengths.values())
        assert (played.dropped, played.subscriptions) == (0, 2)
        for node in made.nodes:
            recorded = [part for report in streams(node)[False] for part in report.parts]
            received = xapp.indications(node.name)
            assert [item.message for item in received] == [item.message for item in recorded] * 2
            assert [item.sn for item in received] == list(range(len(received)))
            assert isinstance(decode_indication_message(received[0].message), IndicationFormat1)
            old, new = (decode_indication_header(item.header) for item in (recorded[0], received[0]))
            assert old.collection_start != new.collection_start


async def test_reports_per_ue_keep_their_parts_together_as_fast_as_possible(tmp_path: Path) -> None:
    path = tmp_path / "live.pcap"
    await record_live(path, "ue")
    made = read_recording(path)
    made = replace(made, nodes=made.nodes[:1])
    (node,) = made.nodes
    reports = streams(node)[True]
    assert {len(report.parts) for report in reports[:-1]} == {3}
    async with NearRtRic(ric_config()) as ric, xapp_on(ric) as xapp:
        playing = asyncio.create_task(replay(made, ReplayConfig(ric=ric.addresses["e2"], period_s=0)))
        await until(lambda: ric.nodes.connected())
        config = RecordConfig(subscription_url="http://x", e2mgr_url="http://x", reports="ue")
        (spec,) = subscriptions_for(config, await xapp.nodes.node(node.name))
        await xapp.subscriptions.subscribe(spec.meid, spec.function_id, spec.event_trigger, spec.actions)
        async with asyncio.timeout(20):
            played = await playing
        assert played.reports == len(reports)
        await until(lambda: len(xapp.indications(node.name)) == played.indications)
        assert isinstance(decode_indication_message(xapp.indications(node.name)[0].message), IndicationFormat3)


async def test_a_replay_stops_when_told_to_and_refuses_what_it_has_not(tmp_path: Path) -> None:
    path = tmp_path / "live.pcap"
    await record_live(path, "cell")
    made = read_recording(path)
    stop = asyncio.Event()
    async with NearRtRic(ric_config()) as ric, xapp_on(ric) as xapp:
        playing = asyncio.create_task(
            replay(made, ReplayConfig(ric=ric.addresses["e2"], period_s=0.01, loops=0), stop=stop)
        )
        await until(lambda: len(ric.nodes.connected()) == 2)
        name = made.nodes[0].name
        subscription = await xapp.subscribe(name, 2, CELL_REPORT)
        await xapp.control(subscription, 4, b"{}", b"{}")
        await until(xapp.answers)
        await until(lambda: len(xapp.indications(name)) > len(made.nodes[0].indications))
        stop.set()
        async with asyncio.timeout(10):
            played = await playing
        assert played.controls == 1


async def test_a_recording_without_reports_cannot_be_played() -> None:
    with pytest.raises(RecordingError, match="no KPM reports"):
        await replay(recording(), ReplayConfig(ric="tcp://127.0.0.1:1"))


async def test_recording_without_a_ric_is_a_clear_error(tmp_path: Path) -> None:
    config = RecordConfig(subscription_url="http://127.0.0.1:1", e2mgr_url="http://127.0.0.1:1")
    with pytest.raises(RecordingError, match=r"127\.0\.0\.1:1"):
        await record(config, tmp_path / "r.pcap", stop=asyncio.Event())


@pytest.mark.parametrize("wrong", [{"reports": "all"}, {"period_ms": 0}])
def test_a_wrong_record_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(RecordingError):
        RecordConfig(subscription_url="http://x", e2mgr_url="http://x", **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"period_s": -1.0}, {"period_s": float("nan")}, {"loops": -1}])
def test_a_wrong_replay_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(RecordingError):
        ReplayConfig(ric="tcp://127.0.0.1:1", **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("reports", ["cell", "ue"])
def test_the_twin_can_be_recorded_without_a_ric(tmp_path: Path, reports: str) -> None:
    def made(seed: int = 1) -> Recording:
        return record_twin(
            nodes=2,
            ues_per_node=5,
            steps=3,
            reports=reports,
            measurements=(kpi.PRB_USED_DL, kpi.RLC_VOLUME_DL),
            period_ms=20,
            seed=seed,
        )

    recording = made()
    assert recording == made() != made(seed=2)
    for node in recording.nodes:
        (found,) = streams(node).values()
        assert len(found) == 3
        for report in found:
            message = decode_indication_message(report.parts[0].message)
            if reports == "ue":
                assert isinstance(message, IndicationFormat3)
                assert len(message.ues) == 5
            else:
                assert isinstance(message, IndicationFormat1)
                assert len(message.records[0].values) == 6
    write_recording(recording, tmp_path / "r.pcap")
    assert read_recording(tmp_path / "r.pcap").indications == recording.indications


@pytest.mark.parametrize("wrong", [{"reports": "both"}, {"steps": 0}, {"nodes": 0}, {"ues_per_node": 0}])
def test_a_senseless_twin_recording_is_refused(wrong: dict[str, object]) -> None:
    settings: dict[str, object] = {"nodes": 1, "ues_per_node": 3, "steps": 1}
    with pytest.raises(RecordingError):
        record_twin(**(settings | wrong))  # type: ignore[arg-type]
