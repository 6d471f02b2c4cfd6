"""Guests: probes in namespaces of others, with labels of theirs, to test their applications."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from pytest_ipv6k8s.errors import ClusterError
from pytest_ipv6k8s.kube import objects, paths
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.probe import deploy, removing, starting
from pytest_ipv6k8s.probe.probes import Probe, ProbePod
from pytest_ipv6k8s.probe.session import connect
from pytest_ipv6k8s.probe.starting import Wanted


@contextmanager
def for_a_moment(api: Api, plan: deploy.Plan, name: str) -> Iterator[Probe]:
    """Start a probe, in a namespace of its own if none was given, and remove all that was made.

    Raises:
        ClusterError: it does not run, or its namespace does not go.
    """
    host = plan.host_network
    namespace = plan.host_namespace if host else plan.namespace
    try:
        if plan.given is None:
            security = "privileged" if host else "restricted"
            deploy.make_namespace(api, plan, namespace, security=security)
        pod = start(api, plan, name, namespace=namespace, labels={})
        with closing(connect(api, pod)) as session:
            yield Probe(pod, session, api.recorder)
    finally:
        if plan.given is not None:
            remove(api, namespace, name)
        elif removing.remove(api, plan.run_id):
            raise ClusterError(f"namespace {namespace} is still there", remedy="run `ipv6k8s reap`")


def start(
    api: Api, plan: deploy.Plan, name: str, *, namespace: str, labels: Mapping[str, str]
) -> ProbePod:
    """Start a probe in a namespace, and wait until it runs.

    Nothing else is put there but a ConfigMap of the same name. :func:`remove` takes both away, and
    `ipv6k8s reap` those of a run that was killed.

    Args:
        api: the API server.
        plan: how pods are made, on which nodes (it takes the first), and whether in their network.
        name: of the pod.
        namespace: where; it has to exist.
        labels: of the pod, on top of ours.

    Raises:
        ConfigError: there is such a pod already.
        ClusterError: it does not run; says why.
    """
    node = plan.nodes[0].name
    body = objects.probe_pod(
        name,
        run_id=plan.run_id,
        node=node,
        manner=plan.manner,
        pod_labels=labels,
        host_network=plan.host_network,
        any_user=deploy.assigns_users(api),
        files=name,
    )
    starting.create(api, namespace, "configmaps", deploy.agent_files(name, plan.run_id))
    started = starting.start(api, [[Wanted(namespace=namespace, node=node, body=body)]])
    if name not in started.running:
        raise ClusterError(
            f"no probe runs in namespace {namespace}: {started.failed[name]}",
            remedy="see what admission wants there, or use another namespace",
        )
    return deploy.probe_pod_of(started.running[name])


def remove(api: Api, namespace: str, name: str) -> None:
    """Delete a probe and what it was made from, as far as they are there."""
    api.delete(paths.pod(namespace, name), grace=1)
    api.delete(paths.config_map(namespace, name))
