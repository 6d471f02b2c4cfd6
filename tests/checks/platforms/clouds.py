"""Managed clusters of clouds."""

from __future__ import annotations

from dataclasses import replace

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.agent.ops.network_state import Address, Route
from tests.checks.platforms.platform import NO_DNS_SERVICE, POOL, Platform
from tests.checks.shape import Shape, plain

GKE = Shape(
    stack=Stack.DUAL,
    nodes=("10.128.0.2", "2600:1900:4000:a:0:2:: every /96"),
    pod_cidrs=("10.4.0.0/24", "2600:1900:4000:a:0:2::/112 every /96"),
    service_cidrs=("34.118.224.0/20", "2600:2d00:0:4::/112"),
)
EKS_DOCS = "https://docs.aws.amazon.com/eks/latest/userguide/cni-ipv6.html"

CLOUDS = (
    Platform(
        name="EKS, IPv6",
        sources=(
            EKS_DOCS,
            "https://aws-ia.github.io/terraform-aws-eks-blueprints/patterns/network/ipv6-eks-cluster",
            "aws/amazon-vpc-cni-k8s: README.md, ENABLE_V4_EGRESS",
        ),
        told="pods from a /80 of the node's interface, IPv4 for egress that never leaves the node",
        shape=Shape(
            stack=Stack.IPV6,
            nodes=("2600:1f13:6c4:a705:a929:f8d4:9350:1b20",),
            pods=("2600:1f13:6c4:a705:1bda::/80",),
            service_cidrs=("fd30:1c53:5f8a::/108",),
            pod_cidrs_used=False,
            more_addresses=(Address("v4if0", "169.254.172.7", 22, "global"),),
            more_routes=(Route("default", "IPv4", "169.254.172.1", "v4if0"),),
        ),
        lacks=POOL,
        leaves_out={"EGR-08": "pods have IPv4 for egress"},
    ),
    Platform(
        name="EKS, IPv4 with IPv6 egress",
        sources=(EKS_DOCS, "aws/amazon-vpc-cni-k8s: README.md, ENABLE_V6_EGRESS"),
        told="an IPv4 cluster (`--ipv6k8s-stack ipv4`): its pods have IPv6 that nobody can reach",
        shape=Shape(
            stack=Stack.IPV4,
            nodes=("10.0.10.183",),
            pods=("10.0.11.0/28",),
            service_cidrs=("172.20.0.0/16",),
            pod_cidrs_used=False,
            more_addresses=(Address("v6if0", "fd00::ac:7", 118, "global"),),
            more_routes=(Route("default", "IPv6", "fe80::1", "v6if0"),),
        ),
        lacks=POOL,
    ),
    Platform(
        name="GKE, dual-stack",
        sources=(
            "kubernetes/cloud-provider-gcp: providers/gce/gce_instances.go, GetIPV6Address",
            "kubernetes/cloud-provider-gcp: pkg/controller/nodeipam/ipam",
            "GoogleCloudPlatform/netd: scripts/install-cni.sh",
        ),
        told="a node's IPv6 podCIDR is cut from the /96 that begins with its own address",
        shape=GKE,
    ),
    Platform(
        name="GKE, Cloud DNS",
        sources=(
            "https://cloud.google.com/kubernetes-engine/docs/concepts/about-cloud-dns",
            "tektoncd/operator: issue 4000",
        ),
        told="pods ask 169.254.169.254; kube-dns is there, and nobody asks it",
        shape=replace(GKE, nameservers=("169.254.169.254",), coredns=False),
        lacks=NO_DNS_SERVICE,
    ),
    Platform(
        name="GKE, NodeLocal DNSCache",
        sources=(
            "https://cloud.google.com/kubernetes-engine/docs/how-to/nodelocal-dns-cache",
            "kubernetes/kubernetes: cluster/addons/dns/nodelocaldns/nodelocaldns.yaml",
        ),
        told="a cache on the node answers at the Service's address; behind it is kube-dns, which "
        "has no Corefile",
        shape=replace(GKE, coredns=False),
    ),
    Platform(
        name="AKS, Azure CNI Overlay",
        sources=("https://learn.microsoft.com/azure/aks/configure-dual-stack",),
        told="pods in an overlay of their own, IPv4 first",
        shape=Shape(
            stack=Stack.DUAL,
            nodes=("10.224.0.4", "fd74:ca9b:3a09:868c::4"),
            pods=("10.244.0.0/24", "fd12:3456:789a::/80"),
            service_cidrs=("10.0.0.0/16", "fd12:3456:789a:1::/108"),
            pod_cidrs_used=False,
        ),
        lacks=POOL,
    ),
    Platform(
        name="ACK, NodeLocal DNSCache",
        sources=(
            "https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/configure-nodelocal-dnscache",
        ),
        told="a webhook gives pods two nameservers: the cache on their node, and kube-dns",
        shape=replace(plain(Stack.DUAL), nameservers=("169.254.20.10", "10.96.0.10")),
    ),
    Platform(
        name="Hetzner Cloud",
        sources=("hetznercloud/hcloud-cloud-controller-manager: docs/guides/address-family.md",),
        told="IPv6 of nodes is an ExternalIP, beside a private IPv4 InternalIP",
        leaves_out={"LB-01": "nodes have no InternalIP of IPv6"},
        shape=Shape(
            stack=Stack.DUAL,
            nodes=("10.0.0.2",),
            external=("198.18.0.2", "2a01:4f8:1c17::1 every /64"),
            pod_cidrs=("10.244.0.0/24", "fd00:10:244::/64"),
            service_cidrs=("10.96.0.0/16", "fd00:10:96::/112"),
        ),
    ),
)
