"""Which ranges of pods and Services a cluster can have, and what is told of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from pytest_ipv6k8s.addresses import Family, Stack, in_any, overlaps
from pytest_ipv6k8s.clusters import ranges
from pytest_ipv6k8s.clusters.contract import ClusterSpec
from pytest_ipv6k8s.clusters.ranges import Limits, node_mask
from pytest_ipv6k8s.testbed import layout

KIND = Limits(services_ipv6=108, sets_masks=False)
K3S = Limits(services_ipv6=112, sets_masks=True)
USUAL = {
    Family.V4: ("10.244.0.0/16", "10.96.0.0/16"),
    Family.V6: ("fd00:10:244::/56", "fd00:10:96::/112"),
}


def _told(
    pods: Sequence[str] = (),
    services: Sequence[str] = (),
    *,
    stack: Stack = Stack.IPV6,
    limits: Limits = KIND,
    workers: int = 1,
    taken: Mapping[str, Sequence[str]] | None = None,
) -> list[str]:
    usual = [USUAL[family] for family in stack.families]
    spec = ClusterSpec(
        run_id="abc",
        stack=stack,
        workers=workers,
        pod_cidrs=tuple(pods) or tuple(pod for pod, _ in usual),
        service_cidrs=tuple(services) or tuple(service for _, service in usual),
    )
    found = ranges.problems(spec, limits, taken or {})
    return [f"{problem.text}. {problem.remedy}" for problem in found]


@pytest.mark.parametrize("limits", [KIND, K3S])
@pytest.mark.parametrize("stack", Stack)
def test_the_usual_ranges_fit_every_stack(stack: Stack, limits: Limits) -> None:
    assert _told(stack=stack, limits=limits) == []


@pytest.mark.parametrize(
    "text", ["", "fd00::", "fd00::/129", "fd00::/x", "10.0.0.0/255.255.0.0", "pods", "fd00::/-1"]
)
def test_what_is_no_cidr_is_told_with_an_example(text: str) -> None:
    assert _told([text]) == [
        f"--ipv6k8s-pod-cidr: {text!r} is no CIDR. write ADDRESS/LENGTH, such as fd00:10:244::/56"
    ]
    assert _told(services=[text]) == [
        f"--ipv6k8s-service-cidr: {text!r} is no CIDR. "
        "write ADDRESS/LENGTH, such as fd00:10:96::/112"
    ]


def test_bits_behind_the_prefix_are_told_with_the_range_that_was_meant() -> None:
    assert _told(["fd00:1::1/56"]) == [
        "--ipv6k8s-pod-cidr: fd00:1::1/56 has bits behind its prefix. write fd00:1::/56"
    ]


@pytest.mark.parametrize(
    ("stack", "pods", "remedy"),
    [
        (Stack.IPV6, ["10.1.0.0/16"], "give one range: IPv6"),
        (Stack.IPV4, ["fd00:1::/56"], "give one range: IPv4"),
        (Stack.IPV6, ["fd00:1::/56", "fd00:2::/56"], "give one range: IPv6"),
        (
            Stack.DUAL,
            ["fd00:1::/56", "10.1.0.0/16"],
            "give one range of each, in this order: IPv4 before IPv6",
        ),
        (
            Stack.DUAL_IPV6,
            ["10.1.0.0/16", "fd00:1::/56"],
            "give one range of each, in this order: IPv6 before IPv4",
        ),
        (
            Stack.DUAL,
            ["10.1.0.0/16"],
            "give one range of each, in this order: IPv4 before IPv6",
        ),
    ],
)
def test_families_are_those_of_the_stack_in_its_order(
    stack: Stack, pods: list[str], remedy: str
) -> None:
    assert _told(pods, stack=stack) == [
        f"--ipv6k8s-pod-cidr: {', '.join(pods)} does not fit stack {stack.value}. {remedy}"
    ]


@pytest.mark.parametrize(
    ("limits", "services", "told"),
    [
        (KIND, "fd00:9::/108", ""),
        (KIND, "fd00:9::/107", "large for Services. take a range from /108 to /120"),
        (K3S, "fd00:9::/112", ""),
        (K3S, "fd00:9::/111", "large for Services. take a range from /112 to /120"),
        (K3S, "fd00:9::/120", ""),
        (K3S, "fd00:9::/121", "small for Services. take a range from /112 to /120"),
        (KIND, "fd00:9::/64", "large for Services. take a range from /108 to /120"),
    ],
)
def test_an_ipv6_range_of_services_has_the_size_that_the_api_server_takes(
    limits: Limits, services: str, told: str
) -> None:
    wanted = [f"--ipv6k8s-service-cidr: {services} is too {told}"] if told else []
    assert _told(services=[services], limits=limits) == wanted


@pytest.mark.parametrize(
    ("services", "size"),
    [("10.16.0.0/12", ""), ("10.0.0.0/11", "large"), ("10.9.0.0/24", ""), ("10.9.0.0/25", "small")],
)
def test_an_ipv4_range_of_services_has_the_size_that_the_api_server_takes(
    services: str, size: str
) -> None:
    told = _told(["192.168.0.0/16"], [services], stack=Stack.IPV4)

    assert [line.split(" for ")[0].rpartition(" ")[2] for line in told] == [size] * bool(size)
    assert all("take a range from /12 to /24" in line for line in told)


@pytest.mark.parametrize(
    ("pods", "workers", "told"),
    [
        ("fd01::/48", 1, ""),
        ("fd01::/63", 1, ""),
        ("fd01::/64", 0, ""),
        (
            "fd01::/64",
            1,
            "has no room for 2 nodes with a /64 of pods each. take a range of /63 or larger",
        ),
        (
            "fd01::/62",
            4,
            "has no room for 5 nodes with a /64 of pods each. take a range of /61 or larger",
        ),
        (
            "fd01::/112",
            0,
            "has no room for 1 nodes with a /64 of pods each. take a range of /64 or larger",
        ),
        (
            "fd01::/47",
            1,
            "is too large for pods: nodes get a /64, at most 16 bits longer. "
            "write fd01::/48, or a longer prefix",
        ),
    ],
)
def test_a_range_of_pods_has_room_for_every_node(pods: str, workers: int, told: str) -> None:
    wanted = [f"--ipv6k8s-pod-cidr: {pods} {told}"] if told else []
    assert _told([pods], workers=workers) == wanted


@pytest.mark.parametrize("pods", ["fd01::/40", "fd01::/64", "fd01::/112", "fd01::/119"])
def test_a_provider_that_sets_the_nodes_masks_takes_other_ranges_of_pods(pods: str) -> None:
    assert _told([pods], limits=K3S) == []
    assert len(_told([pods], limits=KIND)) == 1


@pytest.mark.parametrize(
    ("stack", "pods", "told"),
    [
        (Stack.IPV6, "fd01::/120", "no room for 2 nodes with a /120 of pods each. take a range"),
        (Stack.IPV4, "10.9.0.0/25", "no room for 2 nodes with a /25 of pods each. take a range"),
    ],
)
def test_even_then_every_node_has_room_for_its_pods(stack: Stack, pods: str, told: str) -> None:
    (line,) = _told([pods], stack=stack, limits=K3S)

    assert told in line


@pytest.mark.parametrize(
    ("pods", "nodes", "mask"),
    [
        ("fd00::/56", 2, 64),
        ("fd00::/48", 2, 64),
        ("fd00::/40", 2, 56),
        ("fd00::/64", 1, 64),
        ("fd00::/64", 2, 65),
        ("fd00::/64", 3, 66),
        ("fd00::/112", 5, 115),
        ("10.0.0.0/16", 2, 24),
        ("10.0.0.0/8", 2, 24),
        ("10.0.0.0/24", 2, 25),
    ],
)
def test_a_nodes_prefix_is_the_usual_one_where_it_fits(pods: str, nodes: int, mask: int) -> None:
    assert node_mask(pods, nodes) == mask


def test_pods_and_services_have_no_address_in_common() -> None:
    assert _told(["fd00:1::/56"], ["fd00:1::/112"]) == [
        "pods fd00:1::/56 and Services fd00:1::/112 have addresses in common. "
        "give other ranges with --ipv6k8s-pod-cidr and --ipv6k8s-service-cidr"
    ]


def test_a_range_that_the_container_engine_uses_is_told_with_its_network() -> None:
    taken = {"mine": ["172.18.0.0/16", "fd00:10:244:1::/64"], "none": []}

    assert _told(taken=taken) == [
        "fd00:10:244::/56 overlaps container network mine (fd00:10:244:1::/64). "
        "give another range with --ipv6k8s-pod-cidr, or remove the network"
    ]
    assert _told(taken=taken, stack=Stack.IPV4) == []


@pytest.mark.parametrize("reserved", ranges.RESERVED)
def test_a_reserved_range_is_told_with_what_it_is(reserved: str) -> None:
    stack = Stack.IPV6 if Family.of(reserved) is Family.V6 else Stack.IPV4

    told = _told([reserved], stack=stack)

    wanted = f"{reserved} has addresses of {reserved}, {ranges.RESERVED[reserved]}"
    assert any(wanted in line for line in told)


def test_no_pod_can_have_an_address_of_the_outside_world() -> None:
    world = [*layout.IPV4_ROUTES, *layout.IPV6_ROUTES]
    world += [gateway.pool for gateway in layout.gateways()]

    for route in world:
        assert in_any(route.partition("/")[0], ranges.RESERVED), route
        assert any(overlaps([route, reserved]) for reserved in ranges.RESERVED)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    taken = {"mine": ["fd00:2::/64"]}

    told = _told(["fd00:2::/65"], ["fd00:2::/64"], taken=taken)

    assert len(told) == 5
