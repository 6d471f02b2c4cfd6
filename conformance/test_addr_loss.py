"""Loss between pods: datagrams that do not come back, segments that are sent again."""

from __future__ import annotations

from functools import partial
from typing import Any

from pytest_ipv6k8s import Beside, Family, Feature, check
from pytest_ipv6k8s.agent.ops import tcp_loss, udp_loss
from pytest_ipv6k8s.agent.ports import TCP_PORT, UDP_PORT
from pytest_ipv6k8s.causes import failing, first, only, some, unless
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.suite import Probes
from pytest_ipv6k8s.suite.loss import Loss, ask_pairs, expect_little_loss


def _everything(record: Record[Any]) -> bool:
    """Tell whether nothing came back on a path."""
    return not record.answer.pods


def _some_flows(record: Record[Any]) -> bool:
    """Tell whether some flows of a path were dead, and others were not."""
    dead = getattr(record.answer, "silent", ()) or getattr(record.answer, "failures", ())
    return bool(dead) and not _everything(record)


loss_check = partial(
    check,
    rests_partly_on=["ADDR-15", "ADDR-16"],
    beside=[Beside.PEERS],
    families=Family,
    features=[Feature.TWO_PROBES],
    references=["Kubernetes docs: the Kubernetes network model", "RFC 7680 section 2"],
    causes=[
        only(
            some(_some_flows),
            "one of several equal routes to the other node leads nowhere: flows are dead as a "
            "whole, others are not",
        ),
        first(
            failing(_everything),
            "a packet filter or a security group on the way drops packets of this protocol",
        ),
        unless(
            failing(_everything),
            "a link, a queue or a connection-tracking table on the way is full or defective",
        ),
        unless(failing(_everything), "a policer on the way, or a packet filter, drops some"),
    ],
    look="ip -s link; nstat -az; conntrack -S (on the node)",
)


@loss_check("ADDR-17")
def test_udp_between_pods_loses_little(family: Family, probes: Probes) -> None:
    """UDP between pods loses less than 3 % (our limit), on one node and across nodes.

    Between each two nodes, and on each node, 3000 numbered datagrams from 32 ports are echoed, 16
    on their way at a time, once. A path that loses 3 % is red, one that loses 1 % is told.
    """
    records = ask_pairs(probes, lambda other: udp_loss.Request(other.address(family), UDP_PORT))

    losses = [
        Loss(
            record=record,
            owner=probes.owner(record.request["address"]),
            count=record.answer.sent,
            lost=record.answer.lost,
            dead=tuple(f"source port {port}" for port in record.answer.silent),
            pods=record.answer.pods,
        )
        for record in records
    ]
    expect_little_loss(losses, "datagrams")


@loss_check("ADDR-34", rests_on=["ADDR-16"])
def test_tcp_between_pods_loses_little(family: Family, probes: Probes) -> None:
    """TCP between pods sends less than 3 % again (our limit), on one node and across nodes.

    Between each two nodes, and on each node, 32 connections each carry 94 questions and answers. A
    round trip counts as lost when the kernel at either end had to send something again. A
    connection that is refused, reset or never answered is a failure whatever the rate.
    """
    records = ask_pairs(probes, lambda other: tcp_loss.Request(other.address(family), TCP_PORT))

    losses = [
        Loss(
            record=record,
            owner=probes.owner(record.request["address"]),
            count=record.answer.trips,
            lost=record.answer.lossy,
            dead=record.answer.failures,
            pods=record.answer.pods,
        )
        for record in records
    ]
    expect_little_loss(losses, "round trips")
