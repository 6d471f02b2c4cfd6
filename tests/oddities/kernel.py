"""Kernels of nodes and pods with other parameters, and pods with more devices, than a lab's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.inside import changed_pods
from tests.faults.makers import sysctl
from tests.oddities.changing import all_nodes
from tests.oddities.oddity import Oddity

PROBES = "probe"
RARE_ERRORS = {"net.ipv6.icmp.ratelimit": 1000, "net.ipv4.icmp_ratelimit": 1000}
"""Milliseconds between two ICMP errors to one peer: what Linux had before 6.18."""
OF_NODES = {
    "net.ipv4.conf.all.rp_filter": 1,
    "net.ipv4.conf.all.arp_ignore": 1,
    "net.ipv4.conf.all.arp_announce": 2,
    "net.ipv4.ip_default_ttl": 255,
    "net.ipv6.conf.all.hop_limit": 128,
    "net.ipv6.bindv6only": 1,
    "net.ipv6.auto_flowlabels": 0,
    "net.ipv4.fib_multipath_hash_policy": 1,
    "net.ipv6.fib_multipath_hash_policy": 1,
    "net.ipv4.tcp_timestamps": 0,
    "net.ipv4.icmp_echo_ignore_all": 1,
    "net.ipv6.icmp.echo_ignore_all": 1,
    "net.netfilter.nf_conntrack_tcp_be_liberal": 1,
    "net.netfilter.nf_conntrack_udp_timeout": 3,
}
OF_PODS = {
    "net.ipv6.bindv6only": "1",
    "net.ipv4.tcp_timestamps": "0",
    "net.ipv4.tcp_sack": "0",
    "net.ipv4.tcp_ecn": "1",
    "net.ipv4.tcp_mtu_probing": "2",
    "net.ipv4.tcp_rmem": "4096 8192 16384",
    "net.ipv4.tcp_wmem": "4096 8192 16384",
    "net.ipv4.ip_default_ttl": "128",
    "net.ipv6.conf.eth0.hop_limit": "255",
    "net.ipv6.auto_flowlabels": "0",
    "net.core.somaxconn": "64",
    "net.ipv4.ip_unprivileged_port_start": "1024",
    "net.ipv4.ip_local_port_range": "50000 50999",
    "net.ipv4.ping_group_range": "1 0",
}
MORE = """
ip link add net1 type ifb; ip link set net1 up
ip addr add 192.168.99.7/24 dev net1; ip -6 addr add fd99:1::7/64 dev net1 nodad
ip addr add 10.99.99.99/32 dev lo; ip -6 addr add fd99::99/128 dev lo
"""
Changed = Callable[[Cluster], AbstractContextManager[None]]


def _nodes_with(values: Mapping[str, int]) -> Changed:
    @contextmanager
    def changed(cluster: Cluster) -> Iterator[None]:
        with ExitStack() as stack:
            for node in all_nodes(cluster):
                for name, value in values.items():
                    stack.enter_context(sysctl(node, name, value))
            yield

    return changed


def _pods_after(script: str) -> Changed:
    @contextmanager
    def changed(cluster: Cluster) -> Iterator[None]:
        with changed_pods(all_nodes(cluster), PROBES, script):
            yield

    return changed


def _settings(values: Mapping[str, str]) -> str:
    return "\n".join(f"sysctl -qw '{name}={value}'" for name, value in values.items())


ODDITIES = [
    Oddity(name="rare-icmp-errors", changed=_nodes_with(RARE_ERRORS)),
    Oddity(name="kernel-parameters-of-nodes", changed=_nodes_with(OF_NODES)),
    Oddity(
        name="kernel-parameters-of-pods",
        changed=_pods_after(_settings(OF_PODS)),
        unjudged={"": "echo requests"},
    ),
    Oddity(name="more-devices-in-pods", changed=_pods_after(MORE)),
]
