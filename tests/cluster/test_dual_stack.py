"""A dual-stack cluster: egress told apart by style, and the documents' examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.real import (
    kubectl,
    left_of,
    nodes_of,
    on_node,
    run_suite,
    settings_of_environment,
)

pytestmark = pytest.mark.real_cluster
ROOT = Path(__file__).parents[2]
COREFILE = ("-n", "kube-system", "get", "configmap", "coredns", "-o", "yaml")


@pytest.mark.parametrize("style", ["native", "nptv6", "masquerade"])
def test_each_style_of_egress_is_named_and_taken_back(
    dual_cluster: Cluster, tmp_path: Path, style: str
) -> None:
    before, corefile = _state(dual_cluster), kubectl(dual_cluster, *COREFILE)

    run = run_suite(
        dual_cluster,
        tmp_path,
        "--ipv6k8s-external=testbed",
        f"--ipv6k8s-egress={style}",
        "-k",
        "EGR",
    )

    assert not run.red, run.out
    assert {"EGR-01", "EGR-03"} <= run.ids("pass"), run.out
    assert _state(dual_cluster) == before
    assert _data(kubectl(dual_cluster, *COREFILE)) == _data(corefile)
    assert f"{dual_cluster.name}-testbed" not in left_of(dual_cluster.name)


def _data(config_map: str) -> str:
    return config_map.partition("kind:")[0]


def _state(cluster: Cluster) -> list[str]:
    """Return routes and packet-filter tables of both nodes."""
    script = "ip -6 route show proto boot; ip -4 route show proto boot; nft list tables | sort"
    return [on_node(node, script) for node in nodes_of(cluster)]


APP = """
apiVersion: v1
kind: Pod
metadata: {name: my-app, namespace: default, labels: {app: my-app}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: web
    image: IMAGE
    command: [python3, -m, http.server, "8080", --bind, "::"]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: my-app, namespace: default}
spec:
  ipFamilyPolicy: PreferDualStack
  selector: {app: my-app}
  ports: [{port: 80, targetPort: 8080}]
"""


def _examples() -> list[str]:
    page = ROOT / "docs" / "howto" / "application.md"
    return [part.split("```")[0] for part in page.read_text().split("```python\n")[1:]]


def test_the_examples_of_the_documents_work(dual_cluster: Cluster, tmp_path: Path) -> None:
    names = []
    for number, example in enumerate(_examples()):
        names.append(f"test_example_{number}.py")
        (tmp_path / names[-1]).write_text(example)
    app = APP.replace("IMAGE", settings_of_environment().cluster.probe_image)
    kubectl(dual_cluster, "apply", "-f", "-", stdin=app)
    try:
        kubectl(dual_cluster, "wait", "--for=condition=Ready", "pod/my-app", "--timeout=60s")
        run = run_suite(dual_cluster, tmp_path, *names)
    finally:
        kubectl(dual_cluster, "delete", "-f", "-", stdin=app)

    assert run.code == 0, run.out
    assert f"{len(names) + 1} passed" in run.out  # the check is asked in each family
    assert "SHOP-01" in run.out
