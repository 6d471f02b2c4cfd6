"""What all tests share: pytest's own test tool, and real clusters that are made once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters.contract import Cluster
from pytest_ipv6k8s.masking import held
from tests.faults.record import RECORD
from tests.real import RealTestbed, install_wheel, kind_cluster, make_testbed

pytest_plugins = ["pytester"]
T = TypeVar("T")

ON_IPV6 = "action bundles control_channel healthy hostile interrupts network_policy external users"
ON_DUAL = tuple(
    f"tests/faults/test_{name}.py"
    for name in (
        "api_service_other_family",
        "dns_no_a",
        "dns_nxdomain_for_aaaa",
        "egress_ipv4_dropped",
        "host_pods_with_one_address",
        "node_with_one_address",
        "pod_mtu_below_1280",
        "pod_with_ipv6_disabled",
        "pods_told_one_address",
        "services_families_follow",
        "services_made_dual",
        "services_preferring_both",
    )
)
SHARED_CLUSTERS = {
    "dual-cilium": ("tests/faults/test_policy_dual_*.py",),
    "cilium": ("tests/cluster/test_cilium.py", "tests/faults/test_policy_*.py"),
    "dual": ("tests/cluster/test_dual_stack.py", "tests/cluster/test_locator.py", *ON_DUAL),
    "three-nodes": ("tests/faults/test_loss_*.py", "tests/faults/test_one_*.py"),
    "no-testbed": ("tests/faults/test_dns_does_not_come_back.py",),
    "faults": ("tests/faults/test_*.py",),
    "odd-dual": ("tests/oddities/test_on_dual.py",),
    "odd-ipv6": ("tests/oddities/test_on_ipv6.py",),
    "k3s": ("tests/cluster/test_k3s_containers.py",),
    "ipv6": tuple(f"tests/cluster/test_{name}.py" for name in ON_IPV6.split()),
}
"""Files whose tests share a cluster or an image, and so have to run one after the other."""
LANES = 2
"""On how many clusters the faults without one of their own are recorded."""


@cache
def group_of(nodeid: str) -> str:
    """Return with which tests a test shares something; a group of its own otherwise."""
    shared = (
        name
        for name, files in SHARED_CLUSTERS.items()
        if any(fnmatch(nodeid, f"{file}::*") for file in files)
    )
    found = next(shared, nodeid)
    lane = crc32(nodeid.partition("::")[0].encode()) % LANES if RECORD in os.environ else 0
    return f"{found} {lane}" if found == "faults" and lane else found


class ByCluster(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives all tests that share a cluster to one worker, and every other test to any."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByCluster | None:
    """Make `--dist loadgroup` group by cluster: xdist's marks are lost (pytest-xdist#1386)."""
    return ByCluster(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a group together, also without workers."""
    places = {name: place for place, name in enumerate(SHARED_CLUSTERS)}
    items.sort(key=lambda item: places.get(group_of(item.nodeid), len(places)))


class Shared:
    """What the tests of a group share: made when first used, gone before the next group's tests.

    A cluster that nobody uses any more costs a tenth of a core.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._made: dict[str, Any] = {}
        self._group = ""

    def enter(self, group: str) -> None:
        """Begin a test of a group."""
        if group != self._group:
            self.close()
            self._group = group

    def use(self, name: str, make: Callable[[], AbstractContextManager[T]]) -> T:
        """Return what goes by this name; make it when there is none."""
        if name not in self._made:
            self._made[name] = self._stack.enter_context(make())
        found: T = self._made[name]
        return found

    def close(self) -> None:
        """Take away all that was made."""
        self._made.clear()
        self._stack.close()


@pytest.fixture(scope="session")
def _shared() -> Iterator[Shared]:
    shared = Shared()
    yield shared
    shared.close()


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test mask what another one held."""
    monkeypatch.setattr(held, "_held", held._Held())


@pytest.fixture(autouse=True)
def _own_settings(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Let no test without a cluster see the settings or the runs of who runs it."""
    if not request.node.get_closest_marker("real_cluster"):
        for name in [name for name in os.environ if name.startswith("IPV6K8S_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))


@pytest.fixture(autouse=True)
def _wide(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no program of a test on a real cluster break a line where the test looks for words."""
    if request.node.get_closest_marker("real_cluster"):
        monkeypatch.setenv("COLUMNS", "1000")


@pytest.fixture(autouse=True)
def _group(request: pytest.FixtureRequest, _shared: Shared) -> None:
    _shared.enter(group_of(request.node.nodeid))


@pytest.fixture(scope="session")
def wheel_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python in a fresh virtual environment with the wheel, as pip installs it for users."""
    return install_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def ipv6_cluster(_shared: Shared) -> Cluster:
    """A two-node IPv6-only kind cluster."""
    return _shared.use("ipv6", lambda: kind_cluster(Stack.IPV6))


@pytest.fixture
def dual_cluster(_shared: Shared) -> Cluster:
    """A two-node dual-stack kind cluster, IPv4 first."""
    return _shared.use("dual", lambda: kind_cluster(Stack.DUAL))


@pytest.fixture
def three_nodes(_shared: Shared) -> Cluster:
    """A three-node dual-stack kind cluster, IPv4 first."""
    return _shared.use("three nodes", lambda: kind_cluster(Stack.DUAL, workers=2))


@pytest.fixture
def cilium_cluster(_shared: Shared) -> Cluster:
    """A two-node IPv6-only kind cluster with Cilium, which enforces NetworkPolicies."""
    return _shared.use("cilium", lambda: kind_cluster(Stack.IPV6, cni="cilium"))


@pytest.fixture
def dual_cilium_cluster(_shared: Shared) -> Cluster:
    """A two-node dual-stack kind cluster with Cilium, IPv4 first."""
    return _shared.use("dual cilium", lambda: kind_cluster(Stack.DUAL, cni="cilium"))


@pytest.fixture
def beside(
    _shared: Shared, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Cluster], RealTestbed]:
    """Return the testbed beside the group's cluster; it is made when first asked for."""
    return lambda cluster: _shared.use(
        "outside", lambda: make_testbed(cluster, tmp_path_factory.mktemp("outside"))
    )


@pytest.fixture
def ipv6_testbed(ipv6_cluster: Cluster, beside: Callable[[Cluster], RealTestbed]) -> RealTestbed:
    """A hermetic testbed beside the IPv6-only cluster, with NAT66."""
    return beside(ipv6_cluster)


@pytest.fixture
def dual_testbed(dual_cluster: Cluster, beside: Callable[[Cluster], RealTestbed]) -> RealTestbed:
    """A hermetic testbed beside the dual-stack cluster."""
    return beside(dual_cluster)


@pytest.fixture
def cilium_testbed(
    cilium_cluster: Cluster, beside: Callable[[Cluster], RealTestbed]
) -> RealTestbed:
    """A hermetic testbed beside the cluster with Cilium."""
    return beside(cilium_cluster)


@pytest.fixture
def dual_cilium_testbed(
    dual_cilium_cluster: Cluster, beside: Callable[[Cluster], RealTestbed]
) -> RealTestbed:
    """A hermetic testbed beside the dual-stack cluster with Cilium."""
    return beside(dual_cilium_cluster)
