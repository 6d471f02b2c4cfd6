"""Clusters that are odd from the start.

An authority as EKS has it, few Service addresses, another domain, kube-proxy with nftables; and
podCIDRs out of the nodes' own prefix.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Network
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from cryptography import x509

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters.contract import Cluster, ClusterSpec
from pytest_ipv6k8s.clusters.providers import kind
from pytest_ipv6k8s.process import must_run
from tests import certificates
from tests.oddities.oddity import OPTIONS
from tests.real import kind_cluster, kubectl, on_node, run_suite

pytestmark = pytest.mark.real_cluster
PKI = "/etc/kubernetes/pki"
FEW = ("10.96.0.0/24", "fd00:10:96::/120")
"""The smallest ranges of Services that may be asked for."""
DOMAIN = "k8s.corp.example"


@contextmanager
def _configured(change: Callable[[ClusterSpec, dict[str, Any]], None]) -> Iterator[None]:
    """Change the configuration of each kind cluster that is made meanwhile."""
    usual = kind.configuration

    def configuration(spec: ClusterSpec) -> str:
        document = yaml.safe_load(usual(spec))
        change(spec, document)
        return str(yaml.safe_dump(document, sort_keys=False))

    with mock.patch.object(kind, "configuration", configuration):
        yield


@contextmanager
def _other_authority_and_domain(folder: Path) -> Iterator[None]:
    """Let kubeadm find an authority without key identifiers, and go on with it."""
    authority = certificates.plain(folder, "kubernetes")
    files = zip(authority.write(), ("ca.crt", "ca.key"), strict=True)
    mounts = [{"hostPath": str(file), "containerPath": f"{PKI}/{name}"} for file, name in files]

    def change(_spec: ClusterSpec, document: dict[str, Any]) -> None:
        document["nodes"][0]["extraMounts"] = mounts
        document["networking"]["kubeProxyMode"] = "nftables"
        _patch(document, networking={"dnsDomain": DOMAIN})

    with _configured(change):
        yield


def _pods_in_the_nodes_prefix(spec: ClusterSpec, document: dict[str, Any]) -> None:
    """Cut the podCIDRs from the /64 of the nodes' network, where no node's address is."""
    words = ["docker", "network", "inspect", f"ipv6k8s-{spec.run_id}"]
    (found,) = json.loads(must_run(words, timeout=30))
    given = [IPv6Network(c["Subnet"]) for c in found["IPAM"]["Config"] if ":" in c["Subnet"]]
    pods = [*given[0].subnets(new_prefix=72)][1]
    document["networking"]["podSubnet"] = str(pods)
    arguments = {"bind-address": "::", "node-cidr-mask-size-ipv6": "80"}
    extra = [{"name": name, "value": value} for name, value in arguments.items()]
    _patch(document, controllerManager={"extraArgs": extra})


def _patch(document: dict[str, Any], **configuration: Any) -> None:
    patch = yaml.safe_dump({"kind": "ClusterConfiguration", **configuration})
    document.setdefault("kubeadmConfigPatches", []).append(patch)


@contextmanager
def _odd_cluster(folder: Path) -> Iterator[Cluster]:
    with (
        _other_authority_and_domain(folder),
        kind_cluster(Stack.DUAL, service_cidrs=FEW) as cluster,
    ):
        yield cluster


def test_another_authority_domain_and_proxy_and_few_service_addresses(tmp_path: Path) -> None:
    with _odd_cluster(tmp_path) as cluster:
        served = on_node(f"{cluster.name}-control-plane", f"cat {PKI}/apiserver.crt")
        extensions = x509.load_pem_x509_certificate(served.encode()).extensions
        assert "authorityKeyIdentifier" not in {extension.oid._name for extension in extensions}
        served = kubectl(cluster, "-n", "kube-system", "get", "configmap", "coredns", "-o", "yaml")
        assert DOMAIN in served
        run = run_suite(cluster, tmp_path, *OPTIONS)

    assert run.report, run.out
    assert run.report["cluster"]["proxy"] == "kube-proxy nftables"
    assert not run.red, run.out
    assert run.ids("pass") >= {"NODE-01", "SVC-01", "SVC-10", "DNS-01", "API-03"}, run.out


def test_pod_cidrs_cut_from_the_prefix_of_the_nodes(tmp_path: Path) -> None:
    with _configured(_pods_in_the_nodes_prefix), kind_cluster(Stack.IPV6) as cluster:
        nodes = json.loads(kubectl(cluster, "get", "nodes", "-o", "json"))["items"]
        for node in nodes:
            own = node["status"]["addresses"][0]["address"]
            prefix = IPv6Network(f"{own}/64", strict=False)
            assert IPv6Network(node["spec"]["podCIDR"]).subnet_of(prefix)
        run = run_suite(cluster, tmp_path, *OPTIONS)

    assert run.report, run.out
    assert not run.red, run.out
    assert run.ids("pass") >= {"ADDR-01", "SVC-01", "DNS-01", "API-03"}, run.out
