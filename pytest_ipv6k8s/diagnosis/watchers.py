"""Privileged pods in the network of nodes, whose agents watch packets; there only while they do."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from pytest_ipv6k8s.errors import Ipv6k8sError
from pytest_ipv6k8s.kube import objects, paths
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.inventory import Node
from pytest_ipv6k8s.probe import deploy, starting
from pytest_ipv6k8s.probe.probes import Probe
from pytest_ipv6k8s.probe.session import Sessions
from pytest_ipv6k8s.probe.starting import Wanted

MOST, HASTE = 4, 1.5
"""So many nodes are watched at once; a watcher that takes longer, in seconds, is done without."""


@contextmanager
def watchers(
    api: Api, plan: deploy.Plan, nodes: Sequence[Node], names: Iterable[str]
) -> Iterator[dict[str, Probe]]:
    """Start a watcher on some nodes, and delete all of them again; yield those that run, by node.

    Args:
        api: the API server.
        plan: how pods are made; its namespace of host-network probes is made where it is not there.
        nodes: all of the cluster.
        names: of those where to watch; the first few of them.

    Raises:
        Ipv6k8sError: no watcher may be made here.
    """
    namespace = plan.host_namespace
    if plan.given is None and api.find(paths.namespace(namespace)) is None:
        deploy.make_namespace(api, plan, namespace, security="privileged")
    known = {node.name: node for node in nodes}
    watched = [known[name] for name in dict.fromkeys(names) if name in known][:MOST]
    wanted = [_watcher(plan, number, node) for number, node in enumerate(watched)]
    haste = dataclasses.replace(api.timeouts, exec_connect=HASTE, agent_reply=HASTE)
    sessions = Sessions(Api(api.kubeconfig, timeouts=haste, cost=api.cost))
    try:
        started = starting.start(api, [wanted])
        if not started.running:
            reasons = "; ".join(started.failed.values())
            raise Ipv6k8sError(f"no node can be watched: {reasons}")
        pods = [deploy.probe_pod_of(item) for item in started.running.values()]
        yield {pod.node: sessions.probe(pod) for pod in pods}
    finally:
        sessions.close()
        for one in wanted:
            api.delete(paths.pod(namespace, one.name), grace=0)


def _watcher(plan: deploy.Plan, number: int, node: Node) -> Wanted:
    body = objects.probe_pod(
        f"watch-{number:02}",
        run_id=plan.run_id,
        node=node.name,
        manner=plan.manner,
        pod_labels={"app": "ipv6k8s-watch"},
        host_network=True,
    )
    return Wanted(namespace=plan.host_namespace, node=node.name, body=objects.privileged(body))
