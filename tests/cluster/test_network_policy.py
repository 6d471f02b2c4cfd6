"""NetworkPolicy where nobody enforces it: skipped, and red when it is declared to be enforced."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.real import namespaces_left, run_suite

pytestmark = pytest.mark.real_cluster
DECLARED = """
apiVersion: ipv6k8s.io/v1alpha1
kind: ClusterDeclaration
networkPolicy: enforced
"""


def test_where_nobody_enforces_policies_their_checks_are_skipped(
    ipv6_cluster: Cluster, tmp_path: Path
) -> None:
    run = run_suite(ipv6_cluster, tmp_path, "-k", "POL-", "-n", "2")

    assert run.code == 0, run.out
    assert run.ids("pass") == {"POL-00", "POL-13"}
    assert "needs a CNI that enforces NetworkPolicy" in run.check("POL-01")["reason"]
    assert "--ipv6k8s-enforces-policy" in run.out
    assert namespaces_left(ipv6_cluster) == []


def test_policies_that_are_declared_and_not_enforced_are_red(
    ipv6_cluster: Cluster, tmp_path: Path
) -> None:
    declaration = tmp_path / "ipv6k8s.yaml"
    declaration.write_text(DECLARED)

    run = run_suite(
        ipv6_cluster,
        tmp_path,
        f"--ipv6k8s-declaration={declaration}",
        "--ipv6k8s-timeout-factor=0.5",
        *("-k", "POL-01 or POL-03 or POL-11 or POL-13 or POL-14"),
    )

    assert run.code == 1, run.out
    assert run.ids("fail") == {"POL-01"}, run.out
    assert run.ids("inconclusive", "not judged") == {"POL-03", "POL-11"}, run.out
    assert run.ids("pass") == {"POL-13"}
    assert "needs SCTP in the nodes' kernels" in run.check("POL-14")["reason"]
    causes = run.check("POL-01")["items"][0]["failure"]["causes"]
    assert causes[0].startswith("NetworkPolicy is not enforced")
