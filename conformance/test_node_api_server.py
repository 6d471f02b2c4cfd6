"""Nodes and control plane: the way from pods to the API server."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from pytest_ipv6k8s import Family, Record, check, expect, expect_all
from pytest_ipv6k8s.agent.ops import https_get
from pytest_ipv6k8s.agent.sockets import BY_NAME
from pytest_ipv6k8s.causes import only, some, unless
from pytest_ipv6k8s.expectations import remark
from pytest_ipv6k8s.probe.probes import CA_FILE
from pytest_ipv6k8s.suite import ClusterView, Probes

NAME = "kubernetes.default.svc"
# 429: API Priority and Fairness bounds those who are not logged in.
ANSWERS = (200, 401, 403, 429)
PATIENT = 5.0
"""Seconds for an address."""


def _handshake_failed(record: Record[https_get.Answer]) -> bool:
    """Tell whether a server was there whose certificate was not accepted."""
    answer = record.answer
    return bool(answer.address and answer.error) and answer.error not in errno.errorcode.values()


@check(
    "NODE-01",
    rests_partly_on=["NODE-02", "SVC-01", "DNS-01", "DNS-03", "DNS-04", "DNS-05"],
    references=[
        "Kubernetes docs: accessing the API from a pod",
        "Kubernetes docs: PKI certificates and requirements",
    ],
    causes=[
        unless(
            some(_handshake_failed),
            "the way from pods to the control plane's node is broken in this family",
        ),
        only(
            some(_handshake_failed),
            "the serving certificate lacks the cluster IP or the Service's names",
        ),
        only(
            some(_handshake_failed),
            "somebody else answers: another CA signed the certificate, or a proxy stands between",
        ),
    ],
    look="kubectl get service,endpointslices -n default -o wide",
)
def test_pods_reach_the_api_server(cluster: ClusterView, probes: Probes) -> None:
    """Pods reach the API server by cluster IP and by name, and its certificate is valid for both.

    Clients in pods use the address (``KUBERNETES_SERVICE_HOST``), webhooks and proxies the name. An
    HTTP status is an answer, whatever it says: who may ask is not judged here.
    """
    spec = cluster.service("default/kubernetes").spec
    addresses = spec.get("clusterIPs") or [spec["clusterIP"]]

    for address in addresses:
        expect_all(
            _answers(probes, address),
            _is_in_order,
            expected=f"an HTTP answer under a certificate that is valid for {address}",
        )
    records = _answers(probes, NAME, BY_NAME)
    expect_all(
        records,
        _is_in_order,
        expected=f"an HTTP answer under a certificate that is valid for {NAME}",
    )
    expect_all(
        records,
        lambda record: record.answer.address in addresses,
        expected=f"the name leads to {' or '.join(addresses)}",
    )


def _answers(
    probes: Probes, host: str, timeout: float = PATIENT
) -> Sequence[Record[https_get.Answer]]:
    request = https_get.Request(
        host, 443, server_name=host, path="/version", ca_file=CA_FILE, timeout=timeout
    )
    return probes.ask_each(lambda probe: [request])


def _is_in_order(record: Record[https_get.Answer]) -> bool:
    return record.answer.verified and record.answer.status in ANSWERS


@check(
    "NODE-02",
    references=["kubernetes/kubernetes: pkg/controlplane/controller/kubernetesservice"],
    causes=["--advertise-address is of another family than the first --service-cluster-ip-range"],
    look="kubectl get service,endpointslices -n default -o yaml",
)
def test_api_server_endpoints_have_the_family_of_the_service(cluster: ClusterView) -> None:
    """The Service ``kubernetes`` has endpoints of its own family.

    The API server refuses to start with an address of another one. Endpoints of the other family
    besides are what KEP-2438 is about.
    """
    spec = cluster.service("default/kubernetes").spec
    slices = [item for item in cluster.slices("default", "kubernetes") if item.addresses]

    families = {Family(item.address_type) for item in slices}
    wanted = Family.of(spec["clusterIP"])
    expect(wanted in families, expected=f"endpoints of {wanted.value}", actual=slices)
    if wanted.other in families:
        remark(f"it has endpoints of {wanted.other.value}, too")
