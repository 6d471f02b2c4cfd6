"""NetworkPolicy by address: ipBlock towards targets outside the cluster.

ipBlock is for addresses outside the cluster (Kubernetes documentation); whether it also matches
pods is up to the CNI (cilium/cilium#9209: Cilium does not), so no pod is the peer of a block here.
"""

from __future__ import annotations

import ipaddress
from functools import partial
from typing import Any

from pytest_ipv6k8s import DUAL_STACK, WITH_IPV6, Family, Feature, Level, check
from pytest_ipv6k8s.addresses import in_any
from pytest_ipv6k8s.netpol.policies import Policy
from pytest_ipv6k8s.netpol.sandbox import NAME_LABEL
from pytest_ipv6k8s.netpol.truth_table import Flow, expect_isolation, tcp, to_address
from pytest_ipv6k8s.suite import ExternalTargets, PolicySandbox, Probe, Role, Target

SOURCE = "Kubernetes docs: Network Policies, behavior of to and from selectors"
CAUSES = (
    "NetworkPolicy is not enforced: the CNI's policy engine is off, stopped or lags on that node",
    "the policy engine does not program IPv6 blocks, or one bad block rejects the whole policy",
    "an admission webhook or policy rewrites blocks",
)
LOOK = "kubectl get networkpolicies -A -o yaml"
pol = partial(check, look=LOOK, rests_on=["POL-00"], rests_partly_on=["POL-01"])
V4, V6 = Family.V4, Family.V6
ANY_IPV4, ANY_IPV6 = "0.0.0.0/0", "::/0"


def _block(cidr: str, *holes: str) -> dict[str, Any]:
    return {"ipBlock": {"cidr": cidr, "except": list(holes)} if holes else {"cidr": cidr}}


def _egress(sandbox: PolicySandbox, name: str, source: Probe, *blocks: dict[str, Any]) -> Policy:
    """Return a policy that lets one pod send to these blocks alone."""
    pods = {NAME_LABEL: source.name}
    return sandbox.policies.new(name, pods=pods, egress=[{"to": list(blocks)}])


def _around(address: str, length: int) -> str:
    return str(ipaddress.ip_network(f"{address}/{length}", strict=False))


def _others(external: ExternalTargets, target: Target, cidr: str) -> list[tuple[str, int]]:
    """Return address and port of further IPv6 targets that lie outside a block."""
    found = [external.network.find(role) for role in (Role.DUAL, Role.V6)]
    addresses = [(t.address(V6), t.tcp) for t in found if t and t.tcp and t is not target]
    return [(a, port) for a, port in addresses if a and not in_any(a, [cidr])]


@pol(
    "POL-05",
    stacks=WITH_IPV6,
    features=[Feature.NETWORK_POLICY, Feature.IPV6_TARGET_TCP, Feature.EGRESS],
    references=[SOURCE, "RFC 4291 section 2.3"],
    causes=CAUSES,
)
def test_an_ipv6_block_opens_what_lies_in_it(
    sandbox: PolicySandbox, external: ExternalTargets
) -> None:
    """An IPv6 ipBlock of /128, /64 or ::/0 opens what lies in it, and shuts what does not.

    Each length is another pod's policy, so all are seen side by side; the outsider's namespace has
    no policy.
    """
    target = external.ipv6_target_with("tcp")
    address, subnet = target.address(V6), _around(target.address(V6), 64)
    third = sandbox.servers[0]
    policies = [
        _egress(sandbox, "POL-05-128", sandbox.allowed, _block(f"{address}/128")),
        _egress(sandbox, "POL-05-64", sandbox.denied, _block(subnet)),
        _egress(sandbox, "POL-05-0", third, _block(ANY_IPV6)),
        sandbox.policies.new("POL-05-deny", pods={NAME_LABEL: sandbox.servers[1].name}, egress=[]),
    ]

    opened = (sandbox.allowed, sandbox.denied, third, sandbox.outsider)
    flows = [to_address(source, address, target.tcp, opens=True) for source in opened]
    flows.append(to_address(sandbox.servers[1], address, target.tcp, opens=False))
    flows += tcp([sandbox.allowed, sandbox.denied], [third], V6, opens=False)
    for other, port in _others(external, target, subnet):
        flows += [
            to_address(sandbox.allowed, other, port, opens=False),
            to_address(sandbox.denied, other, port, opens=False),
            to_address(third, other, port, opens=True),
        ]
    expect_isolation(sandbox, policies, flows)


@pol(
    "POL-06",
    stacks=WITH_IPV6,
    features=[Feature.NETWORK_POLICY, Feature.IPV6_TARGET_TCP, Feature.EGRESS],
    references=[SOURCE],
    causes=(
        "the policy engine ignores `except` in IPv6 blocks, or the API server's admission dropped "
        "it (see POL-13)",
        *CAUSES,
    ),
)
def test_the_hole_in_an_ipv6_block_is_shut(
    sandbox: PolicySandbox, external: ExternalTargets
) -> None:
    """An address in `except` of an IPv6 ipBlock is shut, while the rest of the block is open."""
    target = external.ipv6_target_with("tcp")
    address, subnet = target.address(V6), _around(target.address(V6), 64)
    third = sandbox.servers[0]
    hole = f"{address}/128"
    policies = [
        _egress(sandbox, "POL-06-all", sandbox.allowed, _block(ANY_IPV6, hole)),
        _egress(sandbox, "POL-06-subnet", sandbox.denied, _block(subnet, hole)),
        _egress(sandbox, "POL-06-whole", third, _block(ANY_IPV6)),
    ]

    flows = [
        to_address(sandbox.allowed, address, target.tcp, opens=False),
        to_address(sandbox.denied, address, target.tcp, opens=False),
        to_address(third, address, target.tcp, opens=True),
    ]
    for other, port in _others(external, target, hole):
        flows.append(to_address(sandbox.allowed, other, port, opens=True))
    expect_isolation(sandbox, policies, flows)


@pol(
    "POL-07",
    stacks=DUAL_STACK,
    features=[Feature.NETWORK_POLICY, Feature.DUAL_TARGET_TCP, Feature.EGRESS],
    references=[SOURCE, "KEP-563"],
    causes=(
        "a list with both families makes the policy engine refuse the whole policy",
        "a pod's isolation is kept for one family only: the other stays open",
        *CAUSES,
    ),
)
def test_a_block_of_one_family_does_not_open_the_other(
    sandbox: PolicySandbox, external: ExternalTargets
) -> None:
    """An IPv4 block does not open IPv6, nor the reverse, and one rule may name both."""
    target, third = external.target(Role.DUAL), sandbox.servers[0]
    ipv4, ipv6 = target.address(V4), target.address(V6)
    policies = [
        _egress(sandbox, "POL-07-ipv4", sandbox.allowed, _block(f"{ipv4}/32")),
        _egress(sandbox, "POL-07-ipv6", sandbox.denied, _block(f"{ipv6}/128")),
        _egress(sandbox, "POL-07-both", third, _block(f"{ipv4}/32"), _block(f"{ipv6}/128")),
    ]

    expect_isolation(sandbox, policies, _both_ways(sandbox, target))


def _both_ways(sandbox: PolicySandbox, target: Target) -> list[Flow]:
    """Return the table in which the allowed client has IPv4, the denied one IPv6, a server both."""
    ipv4, ipv6, port = target.address(V4), target.address(V6), target.tcp
    third = sandbox.servers[0]
    return [
        to_address(sandbox.allowed, ipv4, port, opens=True),
        to_address(sandbox.allowed, ipv6, port, opens=False),
        to_address(sandbox.denied, ipv4, port, opens=False),
        to_address(sandbox.denied, ipv6, port, opens=True),
        to_address(third, ipv4, port, opens=True),
        to_address(third, ipv6, port, opens=True),
    ]


@pol(
    "POL-08",
    stacks=DUAL_STACK,
    features=[Feature.NETWORK_POLICY, Feature.DUAL_TARGET_TCP, Feature.EGRESS],
    references=[SOURCE],
    causes=(
        "the policy engine takes 0.0.0.0/0 or ::/0 for everything, whatever its family",
        *CAUSES,
    ),
)
def test_everything_of_one_family_is_not_everything(
    sandbox: PolicySandbox, external: ExternalTargets
) -> None:
    """The block 0.0.0.0/0 opens IPv4 alone, ::/0 opens IPv6 alone, and both open both."""
    policies = [
        _egress(sandbox, "POL-08-ipv4", sandbox.allowed, _block(ANY_IPV4)),
        _egress(sandbox, "POL-08-ipv6", sandbox.denied, _block(ANY_IPV6)),
        _egress(sandbox, "POL-08-both", sandbox.servers[0], _block(ANY_IPV4), _block(ANY_IPV6)),
    ]

    expect_isolation(sandbox, policies, _both_ways(sandbox, external.target(Role.DUAL)))


@pol(
    "POL-16",
    level=Level.EXTENDED,
    stacks=DUAL_STACK,
    features=[Feature.NETWORK_POLICY, Feature.DUAL_TARGET_TCP, Feature.EGRESS],
    references=["RFC 4038 section 4.2", SOURCE],
    causes=(
        "the engine judges socket calls by their IPv6 address (::ffff:0:0/96), and not the IPv4 "
        "packets that the kernel sends",
        *CAUSES,
    ),
)
def test_a_mapped_address_gets_the_verdict_of_its_ipv4_address(
    sandbox: PolicySandbox, external: ExternalTargets
) -> None:
    """A connection to ::ffff:a.b.c.d gets the verdict of the IPv4 address that it stands for."""
    target = external.target(Role.DUAL)
    ipv4, ipv6, port = target.address(V4), target.address(V6), target.tcp
    mapped = f"::ffff:{ipv4}"
    policies = [
        _egress(sandbox, "POL-16-ipv4", sandbox.allowed, _block(ANY_IPV4)),
        _egress(sandbox, "POL-16-ipv6", sandbox.denied, _block(ANY_IPV6)),
    ]

    flows = [
        to_address(sandbox.allowed, ipv4, port, opens=True),
        to_address(sandbox.allowed, mapped, port, opens=True),
        to_address(sandbox.denied, ipv4, port, opens=False),
        to_address(sandbox.denied, mapped, port, opens=False),
        to_address(sandbox.denied, ipv6, port, opens=True),
    ]
    expect_isolation(sandbox, policies, flows)
