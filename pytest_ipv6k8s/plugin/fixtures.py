"""The pytest fixtures, for the suite and for tests of your own; all are called ``ipv6k8s_*``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_ipv6k8s.evidence import Recorder
from pytest_ipv6k8s.plugin.collection import NO_CLUSTER, declared_by
from pytest_ipv6k8s.plugin.outcome import INSTRUMENTS, RECORDER
from pytest_ipv6k8s.plugin.state import COST, FACTS, SETTINGS, Cost
from pytest_ipv6k8s.plugin.xdist import worker_name

if TYPE_CHECKING:
    from pytest_ipv6k8s.kube.client import Api
    from pytest_ipv6k8s.kube.view import ClusterView
    from pytest_ipv6k8s.plugin.state import RunFacts
    from pytest_ipv6k8s.probe import ProbePod, Probes
    from pytest_ipv6k8s.probe.arena import Arena
    from pytest_ipv6k8s.probe.scene import Services
    from pytest_ipv6k8s.probe.session import Session
    from pytest_ipv6k8s.targets.outside import Outside


@pytest.fixture(scope="session")
def ipv6k8s_run(request: pytest.FixtureRequest) -> RunFacts:
    """What stands on the cluster; skips a test when no cluster was asked for."""
    facts = request.config.stash.get(FACTS, None)
    if facts is None:
        pytest.skip(NO_CLUSTER)
    return facts


@pytest.fixture(scope="session")
def ipv6k8s_recorder(request: pytest.FixtureRequest) -> Recorder:
    """Keeps what is heard; emptied after every item."""
    return request.config.stash.setdefault(RECORDER, Recorder())


@pytest.fixture(scope="session")
def ipv6k8s_api(
    request: pytest.FixtureRequest, ipv6k8s_run: RunFacts, ipv6k8s_recorder: Recorder
) -> Iterator[Api]:
    """The API server."""
    from pytest_ipv6k8s.kube import config
    from pytest_ipv6k8s.kube.client import Api

    kubeconfig = config.Kubeconfig(path=ipv6k8s_run.kubeconfig, context=ipv6k8s_run.context)
    api = Api(kubeconfig, recorder=ipv6k8s_recorder)
    yield api
    request.config.stash[COST].add(Cost(api_requests=api.requests))


@pytest.fixture(scope="session")
def ipv6k8s_cluster(ipv6k8s_run: RunFacts, ipv6k8s_api: Api) -> ClusterView:
    """The cluster: its facts, its objects, and what it would make of a Service."""
    from pytest_ipv6k8s.kube.view import ClusterView

    run = ipv6k8s_run
    return ClusterView(ipv6k8s_api, run.inventory, run.namespace, run.stack)


@pytest.fixture(scope="session")
def ipv6k8s_probes(
    request: pytest.FixtureRequest,
    ipv6k8s_run: RunFacts,
    ipv6k8s_api: Api,
    ipv6k8s_recorder: Recorder,
) -> Iterator[Probes]:
    """The probes; exec sessions are opened at the first question and closed at the end."""
    from pytest_ipv6k8s.probe import Probe, Probes, control
    from pytest_ipv6k8s.probe.session import connect

    sessions: list[Session] = []

    def probe(pod: ProbePod) -> Probe:
        factor = request.config.stash[SETTINGS].timeout_factor
        sessions.append(connect(ipv6k8s_api, pod, timeout_factor=factor))
        return Probe(pod, sessions[-1], ipv6k8s_recorder)

    pods = [probe(pod) for pod in ipv6k8s_run.pods]
    hosts = [probe(pod) for pod in ipv6k8s_run.hosts]
    probes = Probes(pods, hosts)
    instruments = request.config.stash.setdefault(INSTRUMENTS, {})
    instruments["ipv6k8s_probes"] = lambda: control.out_of_order(ipv6k8s_api, probes)
    yield probes
    del instruments["ipv6k8s_probes"]
    for session in sessions:
        session.close()
    opened = sum(session.opened for session in sessions)
    request.config.stash[COST].add(Cost(exec_sessions=opened))


@pytest.fixture(scope="session")
def ipv6k8s_outside(
    request: pytest.FixtureRequest,
    ipv6k8s_run: RunFacts,
    ipv6k8s_recorder: Recorder,
    ipv6k8s_probes: Probes,
) -> Iterator[Outside]:
    """The outside world; see :mod:`pytest_ipv6k8s.targets`. Skips where there is none."""
    from pytest_ipv6k8s.targets.outside import Outside, hosts

    if ipv6k8s_run.world is None:
        pytest.skip("there is no outside world: declare one with --ipv6k8s-declaration")
    factor = request.config.stash[SETTINGS].timeout_factor
    found, sessions = hosts(ipv6k8s_run.world, ipv6k8s_recorder, timeout_factor=factor)
    outside = Outside(ipv6k8s_run.world, found)
    instruments = request.config.stash.setdefault(INSTRUMENTS, {})
    instruments["ipv6k8s_outside"] = lambda: outside.out_of_order(ipv6k8s_probes)
    yield outside
    del instruments["ipv6k8s_outside"]
    for session in sessions:
        session.close()


@pytest.fixture(scope="session")
def ipv6k8s_arena(
    request: pytest.FixtureRequest, ipv6k8s_run: RunFacts, ipv6k8s_api: Api
) -> Iterator[Arena]:
    """Namespaces and pods of this worker, on which NetworkPolicies may be tried."""
    from pytest_ipv6k8s.probe import Probes, arena, control
    from pytest_ipv6k8s.probe.session import connect

    settings = request.config.stash[SETTINGS]
    sessions: list[Session] = []

    def asker(pod: ProbePod) -> Session:
        sessions.append(connect(ipv6k8s_api, pod, timeout_factor=settings.timeout_factor))
        return sessions[-1]

    plan, worker = ipv6k8s_run.plan(settings), worker_name(request.config)
    ground = arena.build(ipv6k8s_api, plan, worker)
    made = arena.Arena(ipv6k8s_api, ground, asker)
    made.greet()
    instruments = request.config.stash.setdefault(INSTRUMENTS, {})
    instruments["ipv6k8s_arena"] = lambda: control.out_of_order(ipv6k8s_api, Probes(made.probes))
    yield made
    del instruments["ipv6k8s_arena"]
    for session in sessions:
        session.close()
    arena.remove(ipv6k8s_api, ground)
    opened = sum(session.opened for session in sessions)
    request.config.stash[COST].add(Cost(exec_sessions=opened))


@pytest.fixture(scope="session")
def ipv6k8s_services(ipv6k8s_run: RunFacts) -> Services:
    """The Services that all checks share; see :mod:`pytest_ipv6k8s.probe.scene`."""
    from pytest_ipv6k8s.probe.scene import Services

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
