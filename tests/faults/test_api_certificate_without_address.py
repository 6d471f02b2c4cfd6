"""The API server's certificate lacks the cluster IP, and names a legacy one (k3s-io/k3s#6847)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from pytest_ipv6k8s.waiting import wait_until
from tests.faults.fault import Fault, expect_red
from tests.faults.makers import undone
from tests.real import on_node

pytestmark = pytest.mark.real_cluster
KEPT = "/root/ipv6k8s-fault"
OTHER = f"""
mkdir -p {KEPT}; cd /etc/kubernetes/pki; mv apiserver.crt apiserver.key {KEPT}
address=$(ip -6 -o addr show dev eth0 scope global | awk '{{print $4}}' | cut -d/ -f1 | head -n 1)
kubeadm init phase certs apiserver --service-cidr 10.96.0.0/16 \\
  --apiserver-advertise-address "$address" --apiserver-cert-extra-sans localhost,127.0.0.1,::1
"""
HEAL = f"mv {KEPT}/apiserver.* /etc/kubernetes/pki; rm -r {KEPT}"
ASK = """
code=0; ca=/etc/kubernetes/pki/ca.crt
curl -s -o /dev/null -m 5 --cacert $ca https://[fd00:10:96::1]/version || code=$?
echo $code
"""
VALID, OTHER_NAME = "0", "60"


@contextmanager
def other_certificate(cluster: Cluster) -> Iterator[None]:
    """Make a certificate for another Service range; the API server reloads it within a minute."""
    node = f"{cluster.name}-control-plane"

    def await_answer(code: str) -> None:
        what = f"curl ends with {code}"
        wait_until(what, lambda: on_node(node, ASK).strip() == code, timeout=100, interval=2)

    with undone(node, OTHER, HEAL):
        await_answer(OTHER_NAME)
        yield
    await_answer(VALID)


FAULT = Fault(
    broken=other_certificate,
    must=frozenset({"NODE-01"}),
    cause={"NODE-01": "the serving certificate lacks the cluster IP"},
)


def test_certificate_without_address(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
