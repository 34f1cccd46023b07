"""Faults in a loop of real processes: whatever dies, hangs or lies, the rest goes on and the loop closes again."""

import contextlib
import os
import signal
import socket
from collections.abc import Iterator

import httpx
import pytest

from oran.e2.e2ap.codec import encode
from oran.e2.e2ap.messages import Cause, ErrorIndication
from oran.rmr.frame import encode_frame
from oran.rmr.message import RmrMessage
from oran.rmr.types import RIC_CONTROL_ACK, RIC_INDICATION
from oran.slices import static_ratios
from ranloop.processes import Process
from ranloop.stack import HOST
from tests.ranloop.loop import Loop, Samples, a_loop, a_redis
from twin.network.scenario import Scenario

pytestmark = pytest.mark.slow

SLICES = tuple(map(str, Scenario().snssais))
RATIOS = ("dedicated", "min", "max")
STATIC = static_ratios(3).tolist()


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str | None]:
    """The shared data layer; None where there is no Redis: the xApp then keeps what it must know in memory."""
    with a_redis(tmp_path_factory.mktemp("redis")) as address:
        yield address


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, redis: str | None) -> Iterator[Loop]:
    with a_loop(tmp_path_factory.mktemp("faults"), xapp=(f"--redis={redis}",) if redis else ()) as loop:
        yield loop


@pytest.fixture
def loop(shared: Loop) -> Loop:
    """The loop of this module, closed over both nodes whatever the test before left of it."""
    shared.until_running()
    return shared


def subscription_events(metrics: Samples, reason: str) -> float:
    return metrics("ranloop_subscription_events_total", reason=reason)


def interventions(metrics: Samples, reason: str) -> float:
    return metrics("ranloop_guard_interventions_total", reason=reason)


def decided(metrics: Samples, node: str) -> list[list[float]]:
    """The quotas [slices, 3] that the xApp decided last for a node."""
    return [
        [metrics("ranloop_quota_percent", node=node, slice=name, ratio=ratio) for ratio in RATIOS]
        for name in SLICES
    ]


@contextlib.contextmanager
def stopped(process: Process) -> Iterator[None]:
    """A process that neither reads nor writes meanwhile."""
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def test_a_killed_node_comes_back_while_the_other_goes_on(loop: Loop) -> None:
    gone, other = loop.nodes
    before, runs = loop.metrics(), gone.log.runs
    restarts = loop.kill(gone.process)
    loop.until(lambda: loop.metrics()("ranloop_nodes") == 1, "the gauge tells that a node is gone")
    metrics = loop.metrics()
    assert subscription_events(metrics, "lost") > subscription_events(before, "lost")
    assert not metrics.has("ranloop_kpi_age_seconds", node=gone.name)
    assert loop.subscriptions() == {other.name: 1}
    loop.goes_on(other)
    loop.until_running()
    assert gone.process.restarts == restarts + 1
    assert gone.log.runs == runs + 1
    loop.check_single_streams()
    loop.check_quotas()


def test_a_frozen_node_gets_held_then_static_quotas_until_it_thaws(loop: Loop) -> None:
    frozen, other = loop.nodes
    before, pid = loop.metrics(), frozen.process.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        for reason in ("stale", "static"):
            wanted = interventions(before, reason) + 1
            loop.until(lambda: interventions(loop.metrics(), reason) >= wanted, f"the guard tells {reason}")  # noqa: B023
        assert loop.metrics()("ranloop_kpi_age_seconds", node=frozen.name) > 1
        loop.until(lambda: decided(loop.metrics(), frozen.name) == STATIC, "the static quotas are decided")
        loop.goes_on(other)
        made = subscription_events(before, "created")
        loop.until(lambda: loop.metrics()("ranloop_subscriptions") == 1, "the silent subscription is doubted")
        # What waits for the node is seen alone: the xApp decides nothing new of its first reports.
        with stopped(loop.xapp):
            os.kill(pid, signal.SIGCONT)
            loop.until(lambda: frozen.quotas[-1].tolist() == STATIC, "the control that waited last was static")
    finally:
        os.kill(pid, signal.SIGCONT)
    loop.until_running()
    assert frozen.process.pid == pid
    assert subscription_events(loop.metrics(), "created") > made
    loop.check_single_streams()
    loop.check_quotas()


def test_a_killed_ric_is_found_again(loop: Loop) -> None:
    before, steps = loop.metrics(), [node.steps for node in loop.nodes]
    restarts = loop.kill(loop.ric)
    loop.until(lambda: not any(node.controlled() for node in loop.nodes), "cells return to their own quotas")
    loop.until(lambda: loop.ric.restarts == restarts + 1, "the RIC is started again")
    loop.until_running()
    assert all(node.steps > first for node, first in zip(loop.nodes, steps, strict=True))
    metrics = loop.metrics()
    assert interventions(metrics, "stale") > interventions(before, "stale")
    assert subscription_events(metrics, "lost") >= subscription_events(before, "lost") + 2
    assert loop.ric_metrics()("ranloop_ric_xapps_registered") == 1
    loop.check_single_streams()
    loop.check_quotas()


def test_a_killed_xapp_leaves_its_last_quotas_and_takes_over_again(loop: Loop) -> None:
    restarts = loop.kill(loop.xapp)
    # It cannot come back before it is watched, so what follows is seen without it.
    steps = [node.steps for node in loop.nodes]
    for node, first in zip(loop.nodes, steps, strict=True):
        loop.until(lambda: node.steps >= first + 8, "steps without the xApp", watch=False)  # noqa: B023
        # Controls on their way when it died may still arrive; then nothing changes any more.
        last = node.quotas[first + 4 : first + 8]
        assert (last == last[0]).all()
        assert node.controlled()
    assert loop.subscriptions() == {node.name: 1 for node in loop.nodes}
    loop.until_running()
    assert loop.xapp.restarts == restarts + 1
    metrics = loop.metrics()
    assert subscription_events(metrics, "stale_deleted") == 2
    assert loop.ric_metrics()("ranloop_ric_xapps_registered") == 1
    loop.check_single_streams()
    loop.check_quotas()


ERROR = encode(ErrorIndication(cause=Cause("misc", "unspecified")))
HOSTILE_E2 = {
    "text": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a huge length": b"\xff\xff\xff\xff" + bytes(64),
    "an empty message": bytes(4),
    "no E2AP": len(b"\xa5" * 40).to_bytes(4, "big") + b"\xa5" * 40,
    "a setup cut short": (8).to_bytes(4, "big") + bytes.fromhex("0001000401000003"),
    "an error before any setup": len(ERROR).to_bytes(4, "big") + ERROR,
}


def test_hostile_nodes_harm_no_other(loop: Loop) -> None:
    before, lost = loop.ric_metrics(), loop.metrics()("ranloop_lost_indications_total")
    port = loop.stack.ric_ports["e2"]
    with socket.create_connection((HOST, port)), socket.create_connection((HOST, port)) as half:
        half.sendall((4000).to_bytes(4, "big") + b"\x00\x01\x00")
        for what, octets in HOSTILE_E2.items():
            check_cut_off(port, octets, what)
        loop.check_single_streams()
    dropped = loop.ric_metrics()("ranloop_ric_dropped_total", reason="e2_malformed")
    assert dropped >= before("ranloop_ric_dropped_total", reason="e2_malformed") + 2
    assert loop.metrics()("ranloop_lost_indications_total") == lost
    loop.until_running()


def check_cut_off(port: int, octets: bytes, what: str) -> None:
    """The other side ends the connection after these octets, whatever it answers before."""
    with socket.create_connection((HOST, port), timeout=30) as peer:
        try:
            peer.sendall(octets)
            while peer.recv(4096):
                pass
        except ConnectionError:
            return
        except TimeoutError:
            raise AssertionError(f"{what} is put up with") from None


def test_hostile_rmr_peers_are_counted_and_harm_no_other(loop: Loop) -> None:
    meid = loop.nodes[0].name
    lies = [
        RmrMessage(RIC_INDICATION, b"\x00\x05garbage", sub_id=60_000, meid=meid),
        RmrMessage(RIC_INDICATION, b"", sub_id=1, meid="nobody"),
        RmrMessage(RIC_CONTROL_ACK, b"\xff" * 300, meid=meid),
        RmrMessage(4711, b"x"),
    ]
    for name in ("rmr", "rmr_control"):
        port = loop.stack.xapp_ports[name]
        check_cut_off(port, b"\xa5" * 400, "garbage")
        check_cut_off(port, b"\xff\xff\xff\x7f" + b"\x7f\xff\xff\xff$" + bytes(400), "a huge length")
    with socket.create_connection((HOST, loop.stack.xapp_ports["rmr"])) as half:
        half.sendall(encode_frame(lies[0], source="liar:1", source_ip=f"{HOST}:1")[:100])
        before = loop.metrics()
        with socket.create_connection((HOST, loop.stack.xapp_ports["rmr"])) as peer:
            for lie in lies:
                peer.sendall(encode_frame(lie, source="liar:1", source_ip=f"{HOST}:1"))
            loop.until(
                lambda: all(
                    loop.metrics()("ranloop_dropped_messages_total", reason=reason)
                    > before("ranloop_dropped_messages_total", reason=reason)
                    for reason in ("unknown_subscription", "undecodable", "unexpected_type")
                ),
                "the lies are counted",
            )
        loop.check_single_streams()
    loop.until_running()
    loop.check_quotas()


def test_original_quotas_outlive_a_killed_xapp_in_the_shared_data_layer(loop: Loop, redis: str | None) -> None:
    if redis is None:
        pytest.skip("redis-server is not installed")
    restarts = loop.kill(loop.xapp)
    loop.until(lambda: loop.xapp.restarts == restarts + 1, "the xApp is started again")
    loop.until_running()
    loop.xapp.stop()
    loop.until(lambda: not any(node.controlled() for node in loop.nodes), "the original quotas are back")
    assert loop.subscriptions() == {}
    assert loop.ric_metrics()("ranloop_ric_xapps_registered") == 0
    # They stay: nothing of the xApp is left that could change them.
    steps = [node.steps for node in loop.nodes]
    loop.until(
        lambda: all(node.steps >= first + 5 for node, first in zip(loop.nodes, steps, strict=True)),
        "steps without the xApp",
    )
    for node, first in zip(loop.nodes, steps, strict=True):
        assert (node.quotas[first:] == node.default).all()
    with pytest.raises(httpx.ConnectError):
        loop.metrics()
    loop.xapp.start()
    loop.until_running()
    loop.check_single_streams()
    loop.check_quotas()
