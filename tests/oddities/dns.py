"""Cluster DNS that is not kubeadm's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.clusters.contract import Cluster
from tests.oddities.changing import all_nodes, objects, scripts
from tests.oddities.oddity import Oddity
from tests.real import kubectl

SYSTEM = ("-n", "kube-system")
# As the DNS operator of OpenShift writes it: github.com/openshift/cluster-dns-operator,
# pkg/operator/controller/controller_dns_configmap.go.
COREFILE = """
.:5353 {
    bufsize 1232
    errors
    log . {
        class error
    }
    health {
        lameduck 20s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus 127.0.0.1:9153
    forward . "/etc/resolv.conf" { # the node's
        policy sequential
    }
    cache 900 {
        denial 9984 30
    }
    reload
}
"""
# github.com/kubernetes/kubernetes, cluster/addons/dns/nodelocaldns/nodelocaldns.yaml
LOCAL_COREFILE = """
cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {
    errors
    cache {
        success 9984 30
        denial 9984 5
    }
    bind ADDRESS
    forward . UPSTREAM {
        force_tcp
    }
}
.:53 {
    errors
    cache 30
    bind ADDRESS
    forward . /etc/resolv.conf
}
"""
LOCAL = {Family.V4: "169.254.20.10", Family.V6: "fd00:90:53::10"}


@contextmanager
def _other_service(cluster: Cluster) -> Iterator[None]:
    """Serve the address that pods have from another namespace, and nothing from kube-system."""
    service = _plain(_get(cluster, "service", "kube-dns"))
    deployment = _get(cluster, "deployment", "coredns")
    name, labels = "dns-default", {"dns.operator.openshift.io/daemonset-dns": "default"}
    spec = {**service["spec"], "selector": labels}
    spec["ports"] = [
        {**port, "targetPort": 5353} for port in spec["ports"] if port["name"] != "metrics"
    ]
    other = {"kind": "Service", "apiVersion": "v1", "metadata": _named(name), "spec": spec}
    kubectl(cluster, *SYSTEM, "scale", "deployment/coredns", "--replicas=0")
    kubectl(cluster, *SYSTEM, "delete", "service", "kube-dns")
    try:
        with objects(cluster, *_server(deployment, labels), other):
            kubectl(cluster, "-n", "openshift-dns", "rollout", "status", f"deployment/{name}")
            yield
    finally:
        kubectl(cluster, "apply", "-f", "-", stdin=json.dumps(service))
        replicas = deployment["spec"]["replicas"]
        kubectl(cluster, *SYSTEM, "scale", "deployment/coredns", f"--replicas={replicas}")
        kubectl(cluster, *SYSTEM, "rollout", "status", "deployment/coredns")


def _named(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": "openshift-dns"}


def _server(deployment: Mapping[str, Any], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a CoreDNS that listens on 5353, with all that it needs."""
    name, account = "dns-default", {"name": "dns", "namespace": "openshift-dns"}
    pod = json.loads(json.dumps(deployment["spec"]["template"]["spec"]))
    pod.pop("affinity", None)
    pod["serviceAccountName"] = pod["serviceAccount"] = "dns"
    pod["volumes"][0]["configMap"]["name"] = name
    for port in pod["containers"][0]["ports"][:2]:
        port["containerPort"] = 5353
    template = {"metadata": {"labels": dict(labels)}, "spec": pod}
    selector = {"matchLabels": dict(labels)}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "openshift-dns"}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "odd-dns"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "system:coredns",
            },
            "subjects": [{"kind": "ServiceAccount", **account}],
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": _named(name),
            "data": {"Corefile": COREFILE},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": _named(name),
            "spec": {"replicas": 2, "selector": selector, "template": template},
        },
    ]


@contextmanager
def _autopath(cluster: Cluster) -> Iterator[None]:
    """Let one CoreDNS alone walk the search path for its clients, as its plugin autopath does."""
    given = _get(cluster, "configmap", "coredns")["data"]["Corefile"]
    corefile = given.replace("pods insecure", "pods verified", 1)
    corefile = corefile.replace("    ready\n", "    ready\n    autopath @kubernetes\n", 1)
    assert corefile.count("autopath") == corefile.count("verified") == 1, given
    replicas = _get(cluster, "deployment", "coredns")["spec"]["replicas"]
    try:
        _serve(cluster, corefile, 1)
        yield
    finally:
        _serve(cluster, given, replicas)


def _serve(cluster: Cluster, corefile: str, replicas: int) -> None:
    change = json.dumps({"data": {"Corefile": corefile}})
    kubectl(cluster, *SYSTEM, "patch", "configmap", "coredns", "--patch", change)
    kubectl(cluster, *SYSTEM, "scale", "deployment/coredns", f"--replicas={replicas}")
    kubectl(cluster, *SYSTEM, "rollout", "restart", "deployment/coredns")
    kubectl(cluster, *SYSTEM, "rollout", "status", "deployment/coredns")


@contextmanager
def _local_cache(cluster: Cluster) -> Iterator[None]:
    """Let pods ask a cache on their own node, as NodeLocal DNSCache does."""
    upstream = _get(cluster, "service", "kube-dns")["spec"]["clusterIP"]
    family = Family.of(upstream)
    local, length = LOCAL[family], 32 if family is Family.V4 else 128
    kubelet = "/var/lib/kubelet/config.yaml"
    nodes, address = all_nodes(cluster), f"{local}/{length} dev lo"
    change = f"sed -i 's/^- {{}}$/- {{}}/' {kubelet}; systemctl restart kubelet"
    corefile = LOCAL_COREFILE.replace("ADDRESS", local).replace("UPSTREAM", upstream)
    cache = _cache(_get(cluster, "deployment", "coredns"), corefile)
    with (
        scripts(nodes, f"ip addr add {address}", f"ip addr del {address}"),
        objects(cluster, *cache),
    ):
        kubectl(cluster, *SYSTEM, "rollout", "status", "daemonset/node-local-dns")
        with scripts(nodes, change.format(upstream, local), change.format(local, upstream)):
            kubectl(cluster, "wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s")
            yield


def _cache(deployment: Mapping[str, Any], corefile: str) -> list[dict[str, Any]]:
    metadata = {"name": "node-local-dns", "namespace": "kube-system"}
    labels = {"k8s-app": "node-local-dns"}
    given = deployment["spec"]["template"]["spec"]["containers"][0]
    container = {
        "name": "node-cache",
        "image": given["image"],
        "args": ["-conf", "/etc/coredns/Corefile"],
        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns"}],
    }
    pod = {
        "hostNetwork": True,
        "dnsPolicy": "Default",
        "priorityClassName": "system-node-critical",
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
        "volumes": [{"name": "config-volume", "configMap": {"name": "node-local-dns"}}],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {"Corefile": corefile},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": metadata,
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        },
    ]


def _get(cluster: Cluster, kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(kubectl(cluster, *SYSTEM, "get", kind, name, "-o", "json"))
    return found


def _plain(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object as it was before the server added to it."""
    metadata = {key: found["metadata"][key] for key in ("name", "namespace", "labels")}
    return {key: found[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": metadata}


ODDITIES = [
    Oddity(name="another-dns-service-and-corefile", changed=_other_service),
    Oddity(name="one-coredns-with-autopath", changed=_autopath),
    Oddity(name="node-local-dns-cache", changed=_local_cache),
]
