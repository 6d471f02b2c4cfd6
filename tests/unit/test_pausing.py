"""What a pause says: where the probes are, and commands that run as they stand."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.plugin.pausing import told
from pytest_ipv6k8s.plugin.run_facts import RunFacts
from pytest_ipv6k8s.probe import questions
from pytest_ipv6k8s.probe.probes import ProbePod
from pytest_ipv6k8s.results import Evidence
from tests.documents import result
from tests.unit.test_declaration import FACTS as INVENTORY


def _pod(name: str, node: str) -> ProbePod:
    return ProbePod(name=name, namespace=f"ns-{name}", node=node, ips=(), host_ips=())


FACTS = RunFacts(
    run_id="abc",
    home=Path(),
    kubeconfig=Path("/my files/config"),
    context="prod",
    server="https://c",
    owned=True,
    stack=INVENTORY.stack,
    inventory=INVENTORY,
    namespace="n",
    pods=(_pod("probe-00", "a"), _pod("probe-01", "b")),
    hosts=(_pod("host-01", "b"),),
    services=(),
)
ASKED = tuple(
    Evidence(
        source=source,
        request={"op": "tcp_connect", "address": "fd00::1", "port": 80, "timeout": 3.0},
        answer={"connected": False},
        seconds=3.0,
    )
    for source in ("probe-01", "probe-01", "the API server", "host-01")
)


def test_a_pause_tells_where_the_probes_are_and_how_to_ask_again() -> None:
    lines = told(result("SVC-01", "fail", evidence=ASKED), FACTS)

    way = "--kubeconfig '/my files/config' --context prod"
    assert lines[0].startswith("paused: SVC-01")
    assert lines[2:] == [
        f"  kubectl {way} -n ns-probe-01 exec -it probe-01 -- sh  # b",
        f"  kubectl {way} -n ns-host-01 exec -it host-01 -- sh  # b",
        f"  kubectl {way} -n ns-probe-00 exec -it probe-00 -- sh  # a",
        f"  ipv6k8s ask {way} --node b 'probe-01 tcp_connect [fd00::1]:80'",
        f"  ipv6k8s ask {way} --node b --allow privileged 'host-01 tcp_connect [fd00::1]:80'",
    ]
    for line in lines[5:]:
        command, _, *arguments = shlex.split(line)
        assert command == "ipv6k8s"
        assert cli._parser().parse_args(["ask", *arguments]).context == "prod"
        assert questions.parse(arguments[-1])


@pytest.mark.parametrize("path", ["/a:/b"])
def test_kubectl_takes_several_kubeconfigs_from_its_environment(path: str) -> None:
    lines = told(result("SVC-01", "fail"), replace(FACTS, kubeconfig=Path(path)))

    assert lines[2].startswith("  kubectl --context prod -n ns-probe-00 exec")
