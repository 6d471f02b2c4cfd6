"""Distributions, and CNIs that one installs oneself."""

from __future__ import annotations

from dataclasses import replace

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.agent.ops import hop_limit
from pytest_ipv6k8s.kube.taints import Taint
from tests.checks.platforms.platform import NO_DNS_SERVICE, POOL, Platform
from tests.checks.shape import Shape, plain
from tests.checks.world import World

KUBEADM_NODES = ("172.16.0.10", "fd00:16::10")
KUBEADM_PODS = ("10.244.0.0/24", "fd00:10:244::/64")
KUBEADM_SERVICES = ("10.96.0.0/16", "fd00:10:96::/112")
KUBEADM = (
    "https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/dual-stack-support/"
)
K3S_PODS = ("10.42.0.0/24", "2001:cafe:42::/64")
K3S_SERVICES = ("10.43.0.0/16", "2001:cafe:43::/112")

RKE2 = Shape(
    stack=Stack.DUAL_IPV6,
    nodes=("10.41.0.2", "2001:cafe:41::2"),
    pod_cidrs=K3S_PODS[::-1],
    service_cidrs=K3S_SERVICES[::-1],
    dns="kube-system/rke2-coredns-rke2-coredns",
)
ETCD = Taint(key="node-role.kubernetes.io/etcd", effect="NoExecute")


def _one_link(world: World) -> None:
    """Let packets of a single hop reach other nodes."""
    world.override(
        "hop_limit",
        lambda pod, request, answer: hop_limit.Answer(1, 4, offender=request.address),
    )


DISTRIBUTIONS = (
    Platform(
        name="OpenShift, OVN-Kubernetes",
        sources=(
            "https://docs.openshift.com/container-platform/4.15/networking/ovn_kubernetes_network_provider/converting-to-dual-stack.html",
            "ovn-kubernetes/ovn-kubernetes: go-controller/pkg/util/subnet_annotation.go",
            "openshift/cluster-dns-operator: assets/dns",
        ),
        told="subnets of nodes are annotations, podCIDRs empty; DNS is openshift-dns/dns-default, "
        "whose pods listen on 5353",
        shape=Shape(
            stack=Stack.DUAL,
            nodes=("192.168.127.10", "fd2e:6f44:5dd8:c956::10"),
            pods=("10.128.0.0/23", "fd01::/64"),
            service_cidrs=("172.30.0.0/16", "fd02::/112"),
            dns="openshift-dns/dns-default",
            dns_port=5353,
            pod_cidrs_used=False,
        ),
        lacks=POOL,
    ),
    Platform(
        name="Calico IPAM",
        sources=(
            "https://docs.tigera.io/calico/latest/networking/ipam/get-started-ip-addresses",
            KUBEADM,
        ),
        told="blocks of 64 addresses, of which some lie in podCIDRs that nobody uses",
        shape=Shape(
            stack=Stack.DUAL,
            nodes=KUBEADM_NODES,
            pod_cidrs=KUBEADM_PODS,
            pods=("10.244.0.64/26", "fd00:10:244::8000/122"),
            service_cidrs=KUBEADM_SERVICES,
            pod_cidrs_used=False,
        ),
        lacks=POOL,
    ),
    Platform(
        name="Calico with IPv6 beside IPv4-only Services",
        sources=(
            "https://docs.tigera.io/calico/latest/networking/ipam/ipv6",
            "kubernetes/kubernetes: issue 100675",
        ),
        told="pods are dual-stack, Services are not",
        shape=Shape(
            stack=Stack.IPV4,
            nodes=KUBEADM_NODES[:1],
            pods=("10.244.0.64/26", "fd00:10:244::8000/122"),
            pod_cidrs=KUBEADM_PODS[:1],
            service_cidrs=KUBEADM_SERVICES[:1],
            pod_cidrs_used=False,
        ),
        lacks=POOL,
    ),
    Platform(
        name="Cilium, cluster-pool",
        sources=(
            "https://docs.cilium.io/en/stable/network/concepts/ipam/cluster-pool/",
            "cilium/cilium: install/kubernetes/cilium/values.yaml, clusterPoolIPv6MaskSize",
        ),
        told="a /120 a node, all of them in the first node's podCIDR",
        shape=Shape(
            stack=Stack.IPV6,
            nodes=KUBEADM_NODES[1:],
            pod_cidrs=KUBEADM_PODS[1:],
            pods=("fd00:10:244::/120",),
            service_cidrs=KUBEADM_SERVICES[1:],
            pod_cidrs_used=False,
        ),
        lacks=POOL,
    ),
    Platform(
        name="Cilium, in a tunnel",
        sources=(
            "cilium/cilium: pkg/mtu/mtu.go",
            "https://docs.cilium.io/en/stable/network/concepts/routing/",
        ),
        told="routes have a lower MTU than the interfaces, and the tunnel is one link",
        shape=replace(plain(Stack.DUAL), room=70),
        prepare=_one_link,
    ),
    Platform(
        name="kube-router",
        sources=("cloudnativelabs/kube-router: pkg/utils/pod_cidr.go",),
        told="podCIDRs by its own rule, IPv6 first",
        shape=Shape(
            stack=Stack.DUAL_IPV6,
            nodes=KUBEADM_NODES[::-1],
            pod_cidrs=KUBEADM_PODS[::-1],
            service_cidrs=KUBEADM_SERVICES[::-1],
        ),
    ),
    Platform(
        name="Antrea",
        sources=("https://antrea.io/docs/main/docs/design/architecture/",),
        told="podCIDRs, IPv6 only",
        shape=Shape(
            stack=Stack.IPV6,
            nodes=KUBEADM_NODES[1:],
            pod_cidrs=KUBEADM_PODS[1:],
            service_cidrs=KUBEADM_SERVICES[1:],
        ),
    ),
    Platform(
        name="K3s",
        sources=("https://docs.k3s.io/networking/basic-network-options",),
        told="flannel without a DaemonSet, external addresses of nodes",
        shape=Shape(
            stack=Stack.DUAL,
            nodes=("10.41.0.2", "2001:cafe:41::2"),
            external=("198.18.0.41", "2001:cafe:e::41"),
            pod_cidrs=K3S_PODS,
            service_cidrs=K3S_SERVICES,
        ),
    ),
    Platform(
        name="RKE2, Canal",
        sources=("https://docs.rke2.io/networking/basic_network_options",),
        told="IPv4 first on nodes, IPv6 first for Services",
        shape=RKE2,
    ),
    Platform(
        name="RKE2, nodes of their own for etcd",
        sources=("rancher/rke2: tests/e2e/splitserver", "https://docs.rke2.io/install/ha"),
        told="three of six nodes have a taint that no probe tolerates, so they get none",
        shape=replace(
            RKE2,
            count=6,
            taints={
                **dict.fromkeys(range(3), (ETCD,)),
                3: (Taint(key="node-role.kubernetes.io/control-plane"),),
            },
        ),
    ),
    Platform(
        name="NodeLocal DNSCache with kube-proxy in ipvs mode",
        sources=("https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/",),
        told="pods ask 169.254.20.10, where their node's cache listens",
        shape=replace(plain(Stack.DUAL), nameservers=("169.254.20.10",)),
        lacks=NO_DNS_SERVICE,
    ),
)
