"""Control questions: is the instrument itself in order before anything is measured with it?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.agent import throttling
from pytest_ipv6k8s.agent.ops import identity, network_state, own_server, tcp_connect
from pytest_ipv6k8s.agent.ports import CLOSED_PORT
from pytest_ipv6k8s.errors import ClusterError, ControlChannelError
from pytest_ipv6k8s.expectations import eventually
from pytest_ipv6k8s.kube import foreign, paths, status
from pytest_ipv6k8s.kube.client import Api, readable
from pytest_ipv6k8s.kube.objects import RUN_LABEL
from pytest_ipv6k8s.probe.probes import Probe, ProbePod, Probes
from pytest_ipv6k8s.threads import at_once

THROTTLED = 2.0
"""Seconds without processor, of the last ten, after which an answer that is late proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controlled:
    """What the control questions showed, as phrases for the report.

    ``sctp`` says whether every probe's kernel has SCTP, ``ping`` whether any pod may send echo
    requests; ``nameservers`` are those of all probes.
    """

    negative: str
    servers: str
    domain: str
    nameservers: tuple[str, ...]
    sctp: bool
    ping: bool


def control(probes: Probes, families: Sequence[Family]) -> Controlled:
    """Ask the control questions of every probe; none of them rests on what checks judge.

    Raises:
        ClusterError: a probe's server is silent, or a closed port answered.
        ControlChannelError: a probe cannot be reached over the API server.
    """
    try:
        records = eventually(
            lambda: probes.ask_each(lambda _: [own_server.Request()]),
            lambda record: record.answer.echoed,
            expected="every probe's server answers in its pod",
            timeout=15,
        )
    except AssertionError as error:
        raise ClusterError(
            f"the probes do not work: {error}", remedy="check --ipv6k8s-probe-image"
        ) from None
    closed = probes.ask_each(lambda probe: _closed_ports(probe, families))
    for record in closed:
        if record.answer.connected:
            raise ClusterError(
                f"a closed port answered ({record}), so no answer can be trusted",
                remedy="find what answers in place of the pods: a transparent proxy?",
            )
    skew, identities = _greet(probes)
    states = probes.ask_each(lambda probe: [network_state.Request()])
    return Controlled(
        negative=f"{len(closed)} closed ports refused",
        servers=f"{len(records)} servers answered; the nodes' clocks agree within {skew:.1f} s",
        domain=_domain(states[0].answer.search),
        nameservers=tuple(dict.fromkeys(a for s in states for a in s.answer.nameservers)),
        sctp=all(identity.sctp for identity in identities.values()),
        ping=any(identities[probe.name].ping for probe in probes),
    )


def out_of_order(api: Api, probes: Probes) -> str:
    """Say what is wrong with the probes themselves; empty when all are there and answer.

    Asked before a cluster is blamed: a probe that was deleted, evicted or restarted in mid-run, a
    server that hangs or has no processor, a policy or a container that others put upon it would
    otherwise be taken for a broken network.
    """
    everyone = probes.everyone
    found: list[str] = []
    try:
        for namespace in sorted({probe.pod.namespace for probe in everyone}):
            ours = {probe.name: probe for probe in everyone if probe.pod.namespace == namespace}
            pods = [p for p in api.items(paths.pods(namespace)) if p["metadata"]["name"] in ours]
            for pod in pods:
                if is_itself(pod, ours[pod["metadata"]["name"]].pod):
                    del ours[pod["metadata"]["name"]]
            if ours:
                return f"probe pods were deleted or restarted: {', '.join(sorted(ours))}"
            found.append(put_upon(api, namespace, pods))
        upon = "; ".join(filter(None, found))
        return upon or _throttled(probes) or _silent_servers(probes)
    except (ControlChannelError, ClusterError) as error:
        return f"the probes cannot be asked: {error}"


def put_upon(api: Api, namespace: str, pods: Sequence[Mapping[str, Any]]) -> str:
    """Say what others put upon our pods; empty when nothing stands between them and the network.

    Args:
        api: the API server.
        namespace: of the pods.
        pods: their objects.
    """
    beside = sorted({name for pod in pods for name in foreign.containers(pod)})
    if beside:
        return f"something put containers into our pods: {', '.join(beside)}"
    labels: Mapping[str, str] = next((p["metadata"].get("labels") or {} for p in pods), {})
    policies = foreign.policies(api, namespace, labels)
    return f"policies of others isolate our pods: {', '.join(policies)}" if policies else ""


def upon_probes(api: Api, namespace: str, run_id: str) -> str:
    """Say what others put upon the probes of a run, before anything is asked of them."""
    return put_upon(
        api,
        namespace,
        readable(api, paths.pods(namespace), labelSelector=f"{RUN_LABEL}={run_id}"),
    )


def _throttled(probes: Probes) -> str:
    """Say whose container had no processor for so long that it answered late, or not at all."""
    records = probes.ask_each(lambda probe: [identity.Request()], among=probes.everyone)
    held = sorted({record.source for record in records if record.answer.throttled >= THROTTLED})
    if not held:
        return ""
    return (
        f"containers were throttled for {THROTTLED:.0f} s and more of the last "
        f"{throttling.LATELY:.0f}: {', '.join(held)}; raise --ipv6k8s-limit cpu"
    )


def _silent_servers(probes: Probes) -> str:
    """Say whose server does not answer in its own pod; host-network pods have none.

    It is asked past every network: whether loopback works is the cluster's, and ADDR-13.
    """
    serving = [probe for probe in (*probes, *probes.peers) if not probe.pod.host_network]
    records = probes.ask_each(lambda _: [own_server.Request()], among=serving)
    silent = sorted({record.source for record in records if not record.answer.echoed})
    return f"servers hang, in their own pods: {', '.join(silent)}" if silent else ""


def is_itself(item: Mapping[str, Any], pod: ProbePod) -> bool:
    """Tell whether a pod object is still the very pod that was deployed, and runs."""
    return (
        item["metadata"]["uid"] == pod.uid
        and not item["metadata"].get("deletionTimestamp")
        and item.get("status", {}).get("phase") == "Running"
        and status.restarts(item) == pod.restarts
    )


def _closed_ports(probe: Probe, families: Sequence[Family]) -> list[tcp_connect.Request]:
    return [
        tcp_connect.Request(probe.address(family), CLOSED_PORT, timeout=1.0)
        for family in families
        if probe.has(family)
    ]


def _greet(probes: Probes) -> tuple[float, dict[str, identity.Answer]]:
    """Return how far the nodes' clocks are apart at least, and what each probe says of itself."""
    hello = identity.Request()
    records = probes.ask_each(lambda probe: [hello], among=probes.everyone)
    clocks = at_once(_clock, probes.one_per_node)
    earliest = max(least for least, _ in clocks)
    latest = min(most for _, most in clocks)
    apart = max(earliest - latest, 0.0)
    return apart, {record.source: record.answer for record in records}


def _clock(probe: Probe) -> tuple[float, float]:
    """Return between which bounds a node's clock is ahead of ours: it was read on the way."""
    before = time.monotonic()
    shown = probe.ask(identity.Request()).answer.time
    return shown - time.monotonic(), shown - before


def _domain(search: Sequence[str]) -> str:
    """Return the cluster's DNS domain, as the kubelet wrote it into resolv.conf."""
    return next((name[4:] for name in search if name.startswith("svc.")), "cluster.local")
