"""API objects of the fake world, as the API server writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.kube.inventory import Node
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.probe.services import Service

NAMESPACE = "ipv6k8s-abc"


def pod_object(pod: ProbePod) -> dict[str, Any]:
    """Return a pod object."""
    return {
        "metadata": {"name": pod.name, "namespace": pod.namespace},
        "spec": {
            "nodeName": pod.node,
            "hostNetwork": pod.host_network,
            "dnsPolicy": "ClusterFirst",
        },
        "status": {
            "phase": "Running",
            "podIP": pod.ips[0],
            "podIPs": [{"ip": ip} for ip in pod.ips],
            "hostIPs": [{"ip": ip} for ip in pod.host_ips],
        },
    }


def node_object(node: Node) -> dict[str, Any]:
    """Return a node object."""
    addresses = [
        *({"type": "InternalIP", "address": ip} for ip in node.internal_ips),
        *({"type": "ExternalIP", "address": ip} for ip in node.external_ips),
    ]
    return {
        "metadata": {"name": node.name},
        "spec": {"podCIDRs": list(node.pod_cidrs)},
        "status": {"addresses": addresses},
    }


def service_object(service: Service) -> dict[str, Any]:
    """Return a service object."""
    ips = list(service.cluster_ips) or ["None"]
    families = [family.value for family in service.families]
    return {
        "metadata": {"name": service.name, "namespace": service.namespace},
        "spec": {"clusterIP": ips[0], "clusterIPs": ips, "ipFamilies": families},
        "status": {"loadBalancer": {}},
    }


def slice_object(service: str, family: Family, addresses: list[str]) -> dict[str, Any]:
    """Return a slice object."""
    return {
        "metadata": {
            "name": f"{service}-{family.value.lower()}",
            "namespace": NAMESPACE,
            "labels": {
                "kubernetes.io/service-name": service,
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            },
        },
        "addressType": family.value,
        "endpoints": [{"addresses": [ip], "conditions": {"ready": True}} for ip in addresses],
    }


def _ports(dns: int) -> list[dict[str, Any]]:
    return [
        {"name": "dns", "protocol": "UDP", "port": dns},
        {"name": "dns-tcp", "protocol": "TCP", "port": dns},
        {"name": "metrics", "protocol": "TCP", "port": 9153},
    ]


def dns_service_object(path: str, addresses: Sequence[str]) -> dict[str, Any]:
    """Return the Service of the cluster's DNS; its path is ``namespace/name``."""
    namespace, _, name = path.partition("/")
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "clusterIP": addresses[0],
            "clusterIPs": list(addresses),
            "ipFamilies": [Family.of(address).value for address in addresses],
            "ports": _ports(53),
        },
        "status": {"loadBalancer": {}},
    }


def dns_slice_object(path: str, port: int, family: Family, addresses: list[str]) -> dict[str, Any]:
    """Return the slice of the cluster's DNS."""
    found = slice_object(path.partition("/")[2], family, addresses)
    return {**found, "ports": _ports(port)}


def dns_pod_object(pod: ProbePod, coredns: bool) -> dict[str, Any]:
    """Return a pod of the cluster's DNS, with a Corefile where it is CoreDNS."""
    found = pod_object(pod)
    if not coredns:
        return found
    mount = {"name": "config-volume", "mountPath": "/etc/coredns"}
    found["spec"] |= {
        "containers": [
            {"name": "coredns", "args": ["-conf", "/etc/coredns/Corefile"], "volumeMounts": [mount]}
        ],
        "volumes": [{"name": "config-volume", "configMap": {"name": "coredns"}}],
    }
    return found
