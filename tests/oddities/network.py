"""Nodes with more devices, addresses and packet filters than a lab has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.clusters.contract import Cluster
from pytest_ipv6k8s.process import must_run
from tests.oddities.changing import all_nodes, counted, objects, scripts
from tests.oddities.oddity import Oddity
from tests.real import kubectl, on_node

# What the Kubernetes documentation lists under "Ports and Protocols" comes in, and what RFC 4890
# section 4.4 wants; nothing else, so no echo and no datagram to a port that nobody knows.
_FIREWALL = """nft -f - <<'END'
table inet odd {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iifname "lo" accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
        icmpv6 type { destination-unreachable, packet-too-big, time-exceeded } accept
        icmpv6 type { parameter-problem, mld-listener-query } accept
        tcp dport { 6443, 2379, 2380, 10250, 10256, 30000-32767 } accept
        udp dport 30000-32767 accept
    }
}
END
"""


@contextmanager
def _firewall(cluster: Cluster) -> Iterator[None]:
    with scripts(all_nodes(cluster), _FIREWALL, "nft delete table inet odd"):
        yield


@contextmanager
def _devices(cluster: Cluster) -> Iterator[None]:
    """Add devices as administrators and kernel modules do; only two of them are up."""
    do = """
        ip link add dummy0 type ifb; ip link set dummy0 up
        ip -6 addr add fd00:dead:beef::1/128 dev dummy0
        ip tuntap add sit0 mode tun; ip link set sit0 mtu 1480
        ip tuntap add ip6tnl0 mode tun; ip link set ip6tnl0 mtu 1452
        ip tuntap add tunl0 mode tun; ip link set tunl0 mtu 1480
        ip tuntap add wg0 mode tun; ip link set wg0 mtu 1280 up
        ip -6 addr add fd00:dead:cafe::1/64 dev wg0"""
    undo = "for name in dummy0 sit0 ip6tnl0 tunl0 wg0; do ip link del $name || true; done"
    with scripts(all_nodes(cluster), do, undo):
        yield


STORAGE = "fd00:5707:a9e::/64"
_OTHER = "ip -6 -o addr show dev eth0 scope global | sed -En 's/.* inet6 ([^ ]+).*/\\1/p' | head -1"


@contextmanager
def _second_address(cluster: Cluster) -> Iterator[None]:
    """Give each node one more address of its network, as DHCPv6 beside SLAAC does."""
    more = f"$({_OTHER} | sed -E 's#::([0-9a-f]+)/#::aa:\\1/#')"
    do = f"ip -6 addr add {more} dev eth0 nodad"
    undo = "ip -6 -o addr show dev eth0 | sed -En 's/.* inet6 ([^ ]+::aa:[^ ]+).*/\\1/p' | while "
    undo += "read address; do ip -6 addr del $address dev eth0; done"
    with scripts(all_nodes(cluster), do, undo):
        yield


@contextmanager
def _masqueraded(cluster: Cluster) -> Iterator[None]:
    """Let pods leave their node with a second address of it, as an egress address is given."""
    pods = json.loads(kubectl(cluster, "get", "nodes", "-o", "json"))["items"]
    cidrs = ", ".join(cidr for node in pods for cidr in node["spec"]["podCIDRs"] if ":" in cidr)
    do = f"""
        address=$(ip -6 -o addr show dev eth0 | grep -o '[^ ]*::aa:[^ /]*' | head -1)
        nft add table ip6 odd
        nft "add chain ip6 odd out {{ type nat hook postrouting priority 90; }}"
        nft "add rule ip6 odd out oifname eth0 ip6 saddr {{ {cidrs} }} ip6 daddr != {{ {cidrs} }} \
            counter snat to $address"
    """
    undo = "nft delete table ip6 odd"
    with (
        _second_address(cluster),
        scripts(all_nodes(cluster), do, undo),
        counted(lambda: _masqueraded_packets(cluster), "the masquerade"),
    ):
        yield


def _masqueraded_packets(cluster: Cluster) -> int:
    shown = (on_node(node, "nft list table ip6 odd") for node in all_nodes(cluster))
    return sum(int(count) for text in shown for count in re.findall(r"packets (\d+)", text))


MORE_SERVICES = {Family.V4: "10.197.0.0/24", Family.V6: "fd00:10:197::/112"}


@contextmanager
def _second_service_range(cluster: Cluster) -> Iterator[None]:
    """Let Services have addresses of another range, too (KEP-1880)."""
    first = json.loads(kubectl(cluster, "get", "servicecidr", "kubernetes", "-o", "json"))
    more = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": "more"},
        "spec": {"cidrs": [MORE_SERVICES[Family.of(one)] for one in first["spec"]["cidrs"]]},
    }
    with objects(cluster, more):
        ready = "--for=condition=Ready"
        kubectl(cluster, "wait", ready, "servicecidr/more", "--timeout=60s")
        yield


@contextmanager
def _second_nic(cluster: Cluster) -> Iterator[None]:
    """Put each node on another network, too, which has no way out."""
    name = f"{cluster.name}-storage"
    create = ["docker", "network", "create", "--internal", "--ipv6", "--subnet", STORAGE, name]
    must_run(create, timeout=30)
    with ExitStack() as undone:
        undone.callback(must_run, ["docker", "network", "rm", name], timeout=30)
        for node in all_nodes(cluster):
            must_run(["docker", "network", "connect", name, node], timeout=30)
            leave = ["docker", "network", "disconnect", name, node]
            undone.callback(must_run, leave, timeout=30)
        yield


ODDITIES = [
    Oddity(name="node-firewall", changed=_firewall),
    Oddity(name="odd-devices", changed=_devices),
    Oddity(name="second-node-address", changed=_second_address),
    Oddity(name="masqueraded-to-another-address", changed=_masqueraded),
    Oddity(name="second-service-range", changed=_second_service_range),
    Oddity(name="second-nic", changed=_second_nic),
]
