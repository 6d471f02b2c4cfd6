"""Where packets died, from what nodes saw of them."""

from __future__ import annotations

import dataclasses

import pytest

from pytest_ipv6k8s.agent.drops import Drop
from pytest_ipv6k8s.agent.nftrace import Verdict
from pytest_ipv6k8s.agent.ops.watch_end import Answer, Seen, Way
from pytest_ipv6k8s.agent.packets import TCP, Complaint, Flow
from pytest_ipv6k8s.diagnosis.fate import Asked, Found, fate

A, B = "fd00::a", "fd00::b"
FORTH = Flow("", True, False, TCP, A, B, 40000, 8081, 7, answer=False)
BACK = Flow("", True, False, TCP, B, A, 8081, 40000, 7, answer=True)
ASKED = Asked(
    name="pod probe-00",
    node="one",
    in_pod=True,
    sources=(A,),
    address=B,
    port=8081,
    times=4,
    ends=("two",),
    uplinks=("fd01::1", "fd01::2"),
    error="ETIMEDOUT",
)
UPLINK = (Way("fd01::1", "eth0"), Way("fd01::2", "eth0"))


def _seen(*hops: str, strange: bool = False) -> Answer:
    """Return what a node saw: ``in veth1``, ``out eth0``, with ``back`` for answers."""
    found = []
    for number, hop in enumerate(hops):
        way, device, *back = hop.split()
        flow = dataclasses.replace(
            BACK if back else FORTH, device=device, out=way == "out", strange=strange
        )
        found.append(Seen(flow, 1, (1.0 + number / 1000,)))
    return Answer(seen=tuple(found), ways=UPLINK, veths=("veth1", "veth2"))


def _fate(one: Answer, two: Answer | None = None, **more: object) -> Found:
    answers = {"one": one} if two is None else {"one": one, "two": two}
    return fate(dataclasses.replace(ASKED, **more), answers)  # type: ignore[arg-type]


LEFT = _seen("in veth1", "in cni0", "out eth0")
ARRIVED = _seen("in eth0", "out cni0", "out veth2")


@pytest.mark.parametrize(
    ("one", "two", "where"),
    [
        (Answer(), Answer(), "in pod probe-00 on node one, before it left"),
        (_seen("in veth1", "in cni0"), Answer(), "on node one, after coming in by cni0"),
        (LEFT, Answer(), "after leaving node one by eth0, before it reached node two"),
        (LEFT, _seen("in eth0"), "on node two, after coming in by eth0"),
        (LEFT, _seen("in eth0", "out cni0"), "on node two, after leaving by cni0"),
        (LEFT, ARRIVED, "in the pod behind veth2 on node two, which does not answer"),
        (
            LEFT,
            _seen("in eth0", "out veth2", "in veth2 back"),
            "the answer, on node two, after coming in by veth2",
        ),
        (
            LEFT,
            _seen("in eth0", "out veth2", "in veth2 back", "out eth0 back"),
            "the answer, after leaving node two by eth0, before it reached node one",
        ),
        (
            _seen("in veth1", "out eth0", "in eth0 back"),
            ARRIVED,
            "the answer, on node one, after coming in by eth0",
        ),
        (LEFT, None, "after leaving node one by eth0, outside the watched nodes"),
    ],
)
def test_the_last_hop_is_told(one: Answer, two: Answer | None, where: str) -> None:
    found = _fate(one, two)

    assert found.fate.where == where
    assert found.sentence.startswith(f"{where} (")


def test_what_came_back_did_not_die() -> None:
    home = _seen("in veth1", "out eth0", "in eth0 back", "out veth1 back")

    found = _fate(home, ARRIVED)

    assert not found.fate.where
    assert found.sentence == "nothing died: pod probe-00 was answered, and says ETIMEDOUT"


def test_what_an_uplink_meets_for_another_machine_did_not_arrive() -> None:
    found = _fate(LEFT, _seen("in eth0", strange=True))

    assert "before it reached node two" in found.fate.where


def test_nothing_is_claimed_of_a_node_that_was_not_watched() -> None:
    found = fate(ASKED, {"two": Answer()})

    assert found.fate.where == "at a place that is not known"
    assert "node one could not be watched" in found.sentence


def test_a_service_that_nobody_translates_is_told() -> None:
    found = _fate(LEFT, Answer(watched=True), virtual=True)

    assert found.fate.where == "after leaving node one by eth0, still to the Service's address"
    assert "no Service proxy" in found.sentence


def test_what_a_router_says_is_told() -> None:
    said = Complaint("fd01::9", 1, 0, A, B)
    found = _fate(dataclasses.replace(LEFT, complaints=(said,)))

    assert found.sentence.endswith(": fd01::9 says ICMPv6 type 1, code 0")


def test_packets_within_one_node_end_at_its_pod() -> None:
    found = _fate(_seen("in veth1", "in cni0", "out cni0", "out veth2"), ends=("one",))

    assert found.fate.where == "in the pod behind veth2 on node one, which does not answer"


def _on_two(**more: object) -> str:
    two = dataclasses.replace(_seen("in eth0"), **more)  # type: ignore[arg-type]
    return _fate(LEFT, two).fate.reason.text


def test_a_rule_is_named_before_what_the_kernel_says() -> None:
    rule = Verdict("ip6", "filter", "FORWARD", 12, False, A, B)
    drop = Drop(1.0001, "nft_do_chain", "NETFILTER_DROP")

    assert _on_two(verdicts=(rule,), drops=(drop,)) == (
        "NETFILTER_DROP, table ip6 filter, chain FORWARD, rule with handle 12"
    )
    policy = dataclasses.replace(rule, policy=True)
    assert _on_two(verdicts=(policy,)).endswith("chain FORWARD, policy drop")


def test_a_rule_can_be_looked_at_and_changed() -> None:
    rule = Verdict("ip6", "filter", "FORWARD", 12, False, A, B)
    reason = _fate(LEFT, dataclasses.replace(_seen("in eth0"), verdicts=(rule,))).fate.reason

    assert reason.look == "nft -a list chain ip6 filter FORWARD"
    assert "chain FORWARD of table ip6 filter accept these packets" in reason.fix


def test_a_node_needs_no_way_to_the_address_of_a_service() -> None:
    two = _seen("in eth0")
    two = dataclasses.replace(two, ways=(*UPLINK, Way(B, error="ENETUNREACH")))

    assert _fate(LEFT, two, virtual=True).fate.reason.text == ""
    assert _fate(LEFT, two).fate.reason.text == f"no route to {B}"


def test_a_rule_that_dropped_others_is_not_named() -> None:
    rule = Verdict("ip6", "filter", "FORWARD", 12, False, "fd00::c", B)

    assert _on_two(verdicts=(rule,)) == ""


def test_the_kernel_is_believed_only_at_the_moment_of_the_packet() -> None:
    assert _on_two(drops=(Drop(1.0001, "ip6_forward", "IP_INNOROUTES"),)) == "IP_INNOROUTES"
    assert _on_two(drops=(Drop(1.1, "ip6_forward", "IP_INNOROUTES"),)) == ""


def test_a_kernel_without_reasons_tells_the_function() -> None:
    assert _on_two(drops=(Drop(1.0001, "ip6_forward", ""),)) == (
        "reason unknown, dropped in ip6_forward"
    )


def test_ways_and_neighbours_are_told() -> None:
    assert _on_two(ways=(*UPLINK, Way(B, error="ENETUNREACH"))) == f"no route to {B}"
    stuck = Way(B, "cni0", B, "FAILED")
    assert _on_two(ways=(*UPLINK, stuck)) == f"neighbour {B} on cni0 is FAILED"
