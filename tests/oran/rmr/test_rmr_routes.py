"""Route tables: both record forms, updates, node owners, refusals, and text that makes no sense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oran.rmr.address import is_address, join_address, parse_address
from oran.rmr.errors import ConfigError
from oran.rmr.routes import RouteCollector

OWN = ("me:4560", "192.0.2.9:4560")


def collector_of(*lines: str) -> RouteCollector:
    collector = RouteCollector(OWN)
    states = collector.load("\n".join(lines))
    assert all(state.accepted for state in states)
    return collector


def test_both_record_forms() -> None:
    table = collector_of(
        "newrt|start|t1",
        "rte|100|a:1",
        "rte | 101 , other:1, me:4560 | b:2 | 7   # a comment",
        "mse|102|8|c:3",
        "# a whole line of comment",
        "",
        "newrt|end|3",
    ).table
    assert table.targets(100) == ("a:1",)
    assert table.targets(101, 7) == ("b:2",)
    assert table.targets(101) == ()
    assert table.targets(102, 8) == ("c:3",)


def test_subscription_first_then_the_type_alone() -> None:
    table = collector_of("newrt|start", "mse|12050|-1|any:1", "mse|12050|7|seven:1", "newrt|end").table
    assert table.targets(12050, 7) == ("seven:1",)
    assert table.targets(12050, 8) == ("any:1",)
    assert table.targets(12050) == ("any:1",)
    assert table.targets(12041, 7) == ()


def test_each_group_gets_a_copy_and_a_group_takes_turns() -> None:
    table = collector_of("newrt|start", "mse|1|-1|a:1,b:1,c:1; x:1 ,y:1;z:1", "newrt|end").table
    sent = [table.targets(1) for _ in range(6)]
    assert [one[0] for one in sent] == ["a:1", "b:1", "c:1", "a:1", "b:1", "c:1"]
    assert [one[1] for one in sent] == ["x:1", "y:1"] * 3
    assert {one[2] for one in sent} == {"z:1"}


def test_node_owner() -> None:
    collector = collector_of(
        "newrt|start",
        "mse|12040|-1|%meid",
        "newrt|end|1",
        "meid_map|start",
        "mme_ar|e2t:38000|gnb_1 gnb_2",
        "meid_map|end|1",
    )
    assert collector.table.targets(12040, meid="gnb_2") == ("e2t:38000",)
    assert collector.table.targets(12040, meid="gnb_3") == ()
    assert collector.table.targets(12040) == ()
    collector.load("meid_map|start\nmme_del|gnb_2\nmme_ar|other:1|gnb_3\nmeid_map|end|2")
    assert collector.table.targets(12040, meid="gnb_1") == ("e2t:38000",)
    assert collector.table.targets(12040, meid="gnb_2") == ()
    assert collector.table.targets(12040, meid="gnb_3") == ("other:1",)
    collector.load("newrt|start\nmse|12041|-1|%meid\nnewrt|end")
    assert collector.table.targets(12040, meid="gnb_1") == ()
    assert collector.table.targets(12041, meid="gnb_1") == ("e2t:38000",)  # owners outlive a new table


def test_sender_lists_and_own_addresses() -> None:
    table = collector_of(
        "newrt|start",
        "mse|1,other:1|-1|a:1",
        "mse|2,192.0.2.9:4560|-1|a:1",
        "mse|3|-1|me:4560,b:1",
        "mse|4|-1|me:4560",
        "newrt|end|4",
    ).table
    assert table.targets(1) == ()
    assert table.targets(2) == ("a:1",)
    assert table.targets(3) == table.targets(3) == ("b:1",)
    assert table.targets(4) == ()


def test_update_changes_and_deletes_and_keeps_the_rest() -> None:
    collector = collector_of("newrt|start", "mse|1|-1|a:1", "mse|2|5|a:1", "mse|3|-1|a:1", "newrt|end|3")
    states = collector.load("updatert|start|u1\ndel|2|5\nmse|3|-1|b:1\nmse|4|-1|b:1\nupdatert|end|3")
    assert [state.accepted for state in states] == [True]
    table = collector.table
    assert table.targets(1) == ("a:1",)
    assert table.targets(2, 5) == ()
    assert table.targets(3) == table.targets(4) == ("b:1",)


def test_an_update_needs_a_whole_table_first_and_a_seed_is_none() -> None:
    collector = RouteCollector(OWN)
    assert collector.load("newrt|start\nmse|1|-1|a:1\nnewrt|end", seed=True)[0].accepted
    assert collector.load("updatert|start\nmse|2|-1|a:1\nupdatert|end") == []
    assert collector.loaded
    assert collector.table.targets(2) == ()
    collector.load("newrt|start\nmse|1|-1|a:1\nnewrt|end")
    assert collector.load("updatert|start\nmse|2|-1|a:1\nupdatert|end")[0].accepted
    assert collector.table.targets(2) == ("a:1",)


def test_wrong_count_refuses_the_table_and_keeps_the_old_one() -> None:
    collector = collector_of("newrt|start", "mse|1|-1|a:1", "newrt|end|1")
    states = collector.load("newrt|start|t2\nmse|1|-1|b:1\nnewrt|end|2")
    assert [state.accepted for state in states] == [False]
    assert states[0].payload.startswith(b"ERR t2 missing table records: expected 2 got 1")
    assert states[0].payload.endswith(b"\0")
    assert collector.table.targets(1) == ("a:1",)
    owners = collector.load("meid_map|start|m\nmme_ar|e:1|gnb\nmeid_map|end|x")
    assert [state.accepted for state in owners] == [False]
    assert collector.table.owners == {}


def test_an_unfinished_table_is_reported_when_the_next_one_starts() -> None:
    collector = RouteCollector(OWN)
    assert collector.load("newrt|start|t1\nmse|1|-1|a:1") == []
    assert not collector.loaded
    states = collector.load("newrt|start|t2\nmse|1|-1|b:1\nnewrt|end|1")
    assert [(state.table_id, state.accepted) for state in states] == [("t1", False), ("t2", True)]
    assert collector.table.targets(1) == ("b:1",)


def test_a_table_may_arrive_in_pieces() -> None:
    collector = RouteCollector(OWN)
    for piece in ("newrt|start|t1\n", "mse|1|-1|a:1\n", "newrt|end|1\n"):
        states = collector.load(piece)
    assert [state.payload for state in states] == [b"OK t1 \n\0"]


def test_a_table_without_id_is_acknowledged_too() -> None:
    states = RouteCollector().load("newrt|start\nnewrt|end|0")
    assert states[0].payload == b"OK <id-missing> \n\0"


@pytest.mark.parametrize(
    "record",
    [
        "mse|x|-1|a:1",
        "mse|1|y|a:1",
        "mse|99999999999|-1|a:1",
        "mse|1|-1|",
        "mse|1|-1|noport",
        "mse|1|-1|a:0",
        "mse|1|-1|a:70000",
        "mse|1|-1|a:1,b",
        "mse|1|-1",
        "rte|1",
        "del|z|1",
        "nonsense|1|2|3",
        "newrt|middle",
        "newrt",
    ],
)
def test_malformed_records_are_counted_and_skipped(record: str) -> None:
    collector = RouteCollector(OWN)
    states = collector.load(f"newrt|start\n{record}\nmse|2|-1|b:1\nnewrt|end")
    assert [state.accepted for state in states] == [True]
    assert collector.malformed == 1
    assert collector.table.targets(1) == ()
    assert collector.table.targets(2) == ("b:1",)


def test_records_outside_a_table_do_nothing() -> None:
    collector = RouteCollector(OWN)
    assert collector.load("mse|1|-1|a:1\nmme_ar|e:1|gnb\nnewrt|end\nmeid_map|end") == []
    assert collector.table.routes == {}
    assert not collector.loaded


addresses = st.sampled_from(["a:1", "b:22", "host.ricplt:4560", "192.0.2.1:4561"])
words = st.sampled_from(
    ["newrt", "updatert", "meid_map", "start", "end", "rte", "mse", "del", "mme_ar", "mme_del"]
)
cells = st.one_of(
    words, addresses, st.sampled_from(["%meid", "", "#", "-1", "1", "12050,a:1"]), st.text(max_size=8)
)
lines = st.lists(cells, max_size=6).map("|".join)


@given(st.lists(lines, max_size=30).map("\n".join))
def test_any_text_is_taken_or_refused_but_never_raises(text: str) -> None:
    collector = RouteCollector(OWN)
    for state in collector.load(text):
        assert state.payload.endswith(b"\0")
    for route in collector.table.routes.values():
        assert all(group for group in route.groups)
        assert all(is_address(target) for target in route.next_targets())


@given(
    st.dictionaries(
        st.tuples(st.integers(-1, 1 << 30), st.integers(0, 1 << 30)),
        st.lists(st.lists(addresses, min_size=1, max_size=4), min_size=1, max_size=4),
        max_size=12,
    )
)
def test_a_written_table_is_read_back(routes: dict[tuple[int, int], list[list[str]]]) -> None:
    records = [
        f"mse|{mtype}|{sub_id}|" + ";".join(",".join(group) for group in groups)
        for (sub_id, mtype), groups in routes.items()
    ]
    collector = RouteCollector()
    text = "\r\n".join(("newrt|start|id", *records, f"newrt|end|{len(records)}"))
    assert [state.accepted for state in collector.load(text)] == [True]
    found = {key: [list(group) for group in route.groups] for key, route in collector.table.routes.items()}
    assert found == routes


@pytest.mark.parametrize(
    "text", ["", ":1", "a", "a:", "a:b", "a:0", "a:65536", "a b:1", "a,b:1", "é:1", "a:²", "x" * 64 + ":1"]
)
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_address(text)


def test_addresses() -> None:
    assert parse_address(" host.ns:4560 ") == ("host.ns", 4560)
    assert parse_address("[::1]:4560") == ("::1", 4560)
    assert join_address("::1", 4560) == "[::1]:4560"
    assert join_address("a", 1) == "a:1"
