"""Nodes and control plane: the way from pods to the API server."""

from __future__ import annotations

from pytest_ipv6k8s import Family, check, eventually, expect, expect_all
from pytest_ipv6k8s.agent.ops import https_get
from pytest_ipv6k8s.probe.probes import CA_FILE
from pytest_ipv6k8s.suite import ClusterView, Probes

NAME = "kubernetes.default.svc"


@check(
    "NODE-01",
    references=["Kubernetes docs: accessing the API from a pod"],
    causes=[
        "the API server advertises an address of another family than the Service has (NODE-02)",
        "the way from pods to the control plane's node is broken in this family",
        "the serving certificate lacks the Service's names",
    ],
    look="kubectl get service,endpointslices -n default -o wide",
)
def test_pods_reach_the_api_server(cluster: ClusterView, probes: Probes) -> None:
    """Pods reach the API server by name and by cluster IP, and its certificate verifies.

    An HTTP status is an answer, whatever it says: who may ask is not judged here.
    """
    address = cluster.service("default", "kubernetes")["spec"]["clusterIP"]

    records = eventually(
        lambda: probes.ask_each(
            lambda probe: [
                https_get.Request(host, 443, server_name=NAME, path="/version", ca_file=CA_FILE)
                for host in (NAME, address)
            ]
        ),
        lambda record: record.answer.verified and record.answer.status in (200, 401, 403),
        expected="a verified certificate and an HTTP answer, by name and by cluster IP",
    )

    expect_all(
        records,
        lambda record: record.answer.address == address,
        expected=f"the name leads to {address}",
    )


@check(
    "NODE-02",
    references=["KEP-2438: dual-stack API server", "KEP-563"],
    causes=["--advertise-address is of another family than the first --service-cluster-ip-range"],
    look="kubectl get service,endpointslices -n default -o yaml",
)
def test_api_server_endpoints_have_the_family_of_the_service(cluster: ClusterView) -> None:
    """The EndpointSlices of the Service ``kubernetes`` are of the Service's own family."""
    spec = cluster.service("default", "kubernetes")["spec"]
    slices = [item for item in cluster.slices("default", "kubernetes") if item.addresses]

    family = Family.of(spec["clusterIP"])
    odd = [item for item in slices if item.address_type != family.value]
    expect(slices and not odd, expected=f"endpoints of {family.value} only", actual=odd or slices)
