"""NetworkPolicies open more than they say: a webhook, or an engine that skips what it cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import POLICY_AREA, Fault, expect_red
from tests.faults.makers import changed_policies
from tests.real import RealTestbed

pytestmark = pytest.mark.real_cluster
RULE = "object.spec.?{way}.orValue([]).size() > 0 && has(object.spec.{way}[0].{part})"
REMOVE = '[JSONPatch{{op: "remove", path: "/spec/{way}/0/{part}"}}]'
WIDER = "an allow wider than the policy's"
PEER = {"podSelector": {"matchLabels": {"app": "none"}}}
PORTS = [{"port": 53, "protocol": "UDP"}]


@contextmanager
def without(
    cluster: Cluster, way: str, part: str, rule: dict[str, object], more: str = ""
) -> Iterator[None]:
    """Leave a part out of the first rule of policies: it then holds for all.

    Args:
        cluster: where.
        way: ingress or egress.
        part: what is left out: from, to or ports.
        rule: one that has it.
        more: what else has to hold for a policy to be changed, in CEL.
    """
    which = RULE.format(way=way, part=part) + more
    spec = {way: [rule]}
    sign = rf"(?s){way}:(?!.*{part}:)"
    with changed_policies(cluster, which, REMOVE.format(way=way, part=part), spec, sign):
        yield


FAULTS = {
    "pod selectors": Fault(
        broken=partial(
            without,
            way="ingress",
            part="from",
            rule={"from": [PEER]},
            more=" && has(object.spec.ingress[0].from[0].podSelector)",
        ),
        must=frozenset({"POL-03", "POL-12"}),
        cause={"POL-03": WIDER},
    ),
    "namespace selectors": Fault(
        broken=partial(
            without,
            way="ingress",
            part="from",
            rule={"from": [{"namespaceSelector": {"matchLabels": {"app": "none"}}}]},
            more=" && has(object.spec.ingress[0].from[0].namespaceSelector)",
        ),
        must=frozenset({"POL-04"}),
        cause={"POL-04": WIDER},
    ),
    "ports of egress": Fault(
        broken=partial(without, way="egress", part="ports", rule={"ports": PORTS}),
        must=frozenset({"POL-02"}),
        cause={"POL-02": WIDER},
    ),
    "ports of ingress": Fault(
        broken=partial(without, way="ingress", part="ports", rule={"ports": PORTS}),
        must=frozenset({"POL-09"}),
        cause={"POL-09": "does not know endPort, or named ports"},
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_policies_are_wider(
    cilium_cluster: Cluster, cilium_testbed: RealTestbed, tmp_path: Path, fault: Fault
) -> None:
    expect_red(fault, cilium_cluster, tmp_path, cilium_testbed.option, *POLICY_AREA)
