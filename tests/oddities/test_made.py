"""Clusters that are odd from the start: an authority as EKS has it, and few Service addresses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
import yaml
from cryptography import x509

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters.contract import Cluster, ClusterSpec
from pytest_ipv6k8s.clusters.providers import kind
from tests import certificates
from tests.oddities.oddity import OPTIONS
from tests.real import kind_cluster, on_node, run_suite

pytestmark = pytest.mark.real_cluster
PKI = "/etc/kubernetes/pki"
FEW = ("10.96.0.0/24", "fd00:10:96::/120")
"""The smallest ranges of Services that may be asked for."""


@contextmanager
def _other_authority(folder: Path) -> Iterator[None]:
    """Let kubeadm find an authority without key identifiers, and go on with it."""
    authority = certificates.plain(folder, "kubernetes")
    files = zip(authority.write(), ("ca.crt", "ca.key"), strict=True)
    mounts = [{"hostPath": str(file), "containerPath": f"{PKI}/{name}"} for file, name in files]
    usual = kind.configuration

    def configuration(spec: ClusterSpec) -> str:
        document = yaml.safe_load(usual(spec))
        document["nodes"][0]["extraMounts"] = mounts
        return str(yaml.safe_dump(document, sort_keys=False))

    with mock.patch.object(kind, "configuration", configuration):
        yield


@contextmanager
def _odd_cluster(folder: Path) -> Iterator[Cluster]:
    with (
        _other_authority(folder),
        kind_cluster(Stack.DUAL, service_cidrs=FEW) as cluster,
    ):
        yield cluster


def test_an_authority_without_key_identifiers_and_few_service_addresses(tmp_path: Path) -> None:
    with _odd_cluster(tmp_path) as cluster:
        served = on_node(f"{cluster.name}-control-plane", f"cat {PKI}/apiserver.crt")
        extensions = x509.load_pem_x509_certificate(served.encode()).extensions
        assert "authorityKeyIdentifier" not in {extension.oid._name for extension in extensions}
        run = run_suite(cluster, tmp_path, *OPTIONS)

    assert run.report, run.out
    assert not run.red, run.out
    assert run.ids("pass") >= {"NODE-01", "SVC-01", "SVC-10", "DNS-01", "API-03"}, run.out
