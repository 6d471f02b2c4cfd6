"""The pytest fixtures, for the suite and for tests of your own; all are called ``ipv6k8s_*``."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_ipv6k8s.evidence import Recorder
from pytest_ipv6k8s.plugin.collection import NO_CLUSTER, declared_by
from pytest_ipv6k8s.plugin.state import (
    API,
    COST,
    FACTS,
    INSTRUMENTS,
    RECORDER,
    SETTINGS,
    TIMEOUTS,
    WHERE,
    worker_name,
)

if TYPE_CHECKING:
    from pytest_ipv6k8s.external.view import ExternalTargets
    from pytest_ipv6k8s.kube.client import Api
    from pytest_ipv6k8s.kube.view import ClusterView
    from pytest_ipv6k8s.netpol.sandbox import PolicySandbox
    from pytest_ipv6k8s.plugin.run_facts import RunFacts
    from pytest_ipv6k8s.probe.probes import Probe, ProbePod, Probes
    from pytest_ipv6k8s.probe.services import Services
    from pytest_ipv6k8s.probe.session import Session

    Connect = Callable[[ProbePod], Session]
    ProbeIn = Callable[..., Probe]

_guest_numbers = itertools.count()


@pytest.fixture(scope="session")
def ipv6k8s_run(request: pytest.FixtureRequest) -> RunFacts:
    """What stands on the cluster; skips a test when no cluster was asked for."""
    facts = request.config.stash.get(FACTS, None)
    if facts is None:
        pytest.skip(NO_CLUSTER)
    return facts


@pytest.fixture(scope="session")
def ipv6k8s_recorder(request: pytest.FixtureRequest) -> Recorder:
    """Keeps the answers; emptied after every item."""
    return request.config.stash.setdefault(RECORDER, Recorder())


@pytest.fixture(scope="session")
def ipv6k8s_api(
    request: pytest.FixtureRequest, ipv6k8s_run: RunFacts, ipv6k8s_recorder: Recorder
) -> Api:
    """The API server."""
    from pytest_ipv6k8s.kube import config
    from pytest_ipv6k8s.kube.client import Api

    kubeconfig = config.Kubeconfig(path=ipv6k8s_run.kubeconfig, context=ipv6k8s_run.context)
    timeouts = request.config.stash[TIMEOUTS]
    cost = request.config.stash[COST]
    api = Api(kubeconfig, recorder=ipv6k8s_recorder, timeouts=timeouts, cost=cost)
    request.config.stash[API] = api
    return api


@pytest.fixture(scope="session")
def ipv6k8s_cluster(
    request: pytest.FixtureRequest, ipv6k8s_run: RunFacts, ipv6k8s_api: Api
) -> ClusterView:
    """The cluster: its facts, its objects, and what it would make of a Service."""
    from pytest_ipv6k8s.kube.view import ClusterView

    run = ipv6k8s_run
    return ClusterView(
        ipv6k8s_api,
        run.inventory,
        run.namespace,
        selector=request.config.stash[SETTINGS].probes.node_selector,
        clat=bool(run.external and run.external.clat),
        unconnected=run.unconnected,
        where=request.config.stash.setdefault(WHERE, {}),
    )


@pytest.fixture(scope="session")
def _ipv6k8s_connect(ipv6k8s_api: Api) -> Iterator[Connect]:
    """Makes exec sessions with pods; they are opened when asked and closed at the end."""
    from pytest_ipv6k8s.probe.session import connect

    sessions: list[Session] = []

    def made(pod: ProbePod) -> Session:
        sessions.append(connect(ipv6k8s_api, pod))
        return sessions[-1]

    yield made
    for session in sessions:
        session.close()


@contextmanager
def _examined(
    request: pytest.FixtureRequest, name: str, out_of_order: Callable[[], str]
) -> Iterator[None]:
    """Let an instrument be examined when a check that uses it fails."""
    instruments = request.config.stash.setdefault(INSTRUMENTS, {})
    instruments[name] = out_of_order
    yield
    del instruments[name]


@pytest.fixture(scope="session")
def ipv6k8s_probes(
    request: pytest.FixtureRequest,
    ipv6k8s_run: RunFacts,
    ipv6k8s_api: Api,
    ipv6k8s_recorder: Recorder,
    _ipv6k8s_connect: Connect,
) -> Iterator[Probes]:
    """The probes."""
    from pytest_ipv6k8s.probe import control
    from pytest_ipv6k8s.probe.probes import Probe, Probes

    def probe(pod: ProbePod) -> Probe:
        return Probe(pod, _ipv6k8s_connect(pod), ipv6k8s_recorder)

    run = ipv6k8s_run
    of = (run.pods, run.hosts, run.peers)
    probes = Probes(*([*map(probe, pods)] for pods in of), ready_at=run.ready_at)
    broken = partial(control.out_of_order, ipv6k8s_api, probes)
    with _examined(request, "ipv6k8s_probes", broken):
        yield probes


@pytest.fixture
def ipv6k8s_probe_in(
    request: pytest.FixtureRequest,
    ipv6k8s_run: RunFacts,
    ipv6k8s_api: Api,
    ipv6k8s_recorder: Recorder,
    _ipv6k8s_connect: Connect,
) -> Iterator[ProbeIn]:
    """Starts a probe in a namespace of yours, with labels of yours; it goes after the test."""
    from pytest_ipv6k8s.probe import guests
    from pytest_ipv6k8s.probe.probes import Probe

    plan = ipv6k8s_run.plan(request.config.stash[SETTINGS])
    made: list[tuple[str, str]] = []

    def start(namespace: str, labels: Mapping[str, str] | None = None) -> Probe:
        number = next(_guest_numbers)
        name = f"ipv6k8s-{ipv6k8s_run.run_id}-{worker_name(request.config)}-{number}"
        made.append((namespace, name))
        pod = guests.start(ipv6k8s_api, plan, name, namespace=namespace, labels=labels or {})
        return Probe(pod, _ipv6k8s_connect(pod), ipv6k8s_recorder)

    yield start
    for namespace, name in made:
        guests.remove(ipv6k8s_api, namespace, name)


@pytest.fixture(scope="session")
def ipv6k8s_external(
    request: pytest.FixtureRequest,
    ipv6k8s_run: RunFacts,
    ipv6k8s_recorder: Recorder,
    ipv6k8s_probes: Probes,
) -> Iterator[ExternalTargets]:
    """The external targets; see :mod:`pytest_ipv6k8s.external`. Skips where there are none."""
    from pytest_ipv6k8s.external.view import ExternalTargets, hosts

    if ipv6k8s_run.external is None:
        pytest.skip("there are no external targets: declare some with --ipv6k8s-declaration")
    timeouts = request.config.stash[TIMEOUTS]
    found, sessions = hosts(ipv6k8s_run.external, ipv6k8s_recorder, timeouts=timeouts)
    external = ExternalTargets(ipv6k8s_run.external, found)
    broken = partial(external.out_of_order, ipv6k8s_probes)
    with _examined(request, "ipv6k8s_external", broken):
        yield external
    for session in sessions:
        session.close()


@pytest.fixture(scope="session")
def ipv6k8s_policy_sandbox(
    request: pytest.FixtureRequest,
    ipv6k8s_run: RunFacts,
    ipv6k8s_api: Api,
    _ipv6k8s_connect: Connect,
) -> Iterator[PolicySandbox]:
    """Namespaces and pods of this worker, on which NetworkPolicies may be tried.

    Skips where no namespace may be made.
    """
    from pytest_ipv6k8s.netpol import sandbox
    from pytest_ipv6k8s.probe import control
    from pytest_ipv6k8s.probe.probes import Probes, nodes_of

    if not ipv6k8s_run.own_namespaces:
        pytest.skip("needs namespaces of its own: leave --ipv6k8s-namespace out")
    plan = ipv6k8s_run.plan(request.config.stash[SETTINGS])
    pods = sandbox.build(ipv6k8s_api, plan, worker_name(request.config))
    request.config.stash.setdefault(WHERE, {}).update(nodes_of(pods.pods))
    seconds = ipv6k8s_run.inventory.policy_seconds
    made = sandbox.PolicySandbox(ipv6k8s_api, pods, _ipv6k8s_connect, convergence=seconds)
    made.wait_for_agents()
    with _examined(
        request,
        "ipv6k8s_policy_sandbox",
        lambda: control.out_of_order(ipv6k8s_api, Probes(made.probes)),
    ):
        yield made
    sandbox.remove(ipv6k8s_api, pods)


@pytest.fixture(scope="session")
def ipv6k8s_services(ipv6k8s_run: RunFacts) -> Services:
    """The Services that all checks share; see :mod:`pytest_ipv6k8s.probe.services`."""
    from pytest_ipv6k8s.probe.services import Services

    return Services(ipv6k8s_run.services)


@pytest.fixture(scope="session")
def ipv6k8s_namespace(ipv6k8s_run: RunFacts) -> str:
    """The namespace of the run; whatever is made in it goes with the run."""
    return ipv6k8s_run.namespace


@pytest.fixture(autouse=True)
def _ipv6k8s_no_cluster(request: pytest.FixtureRequest) -> None:
    """Never let a check be skipped in silence for want of a cluster."""
    if declared_by(request.node) is not None and FACTS not in request.config.stash:
        raise RuntimeError(NO_CLUSTER)
