"""A project in which the plugin believes that a cluster stands: for tests of outcomes."""

from __future__ import annotations

import pytest

FAKE_RUN = """
import pytest
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.kube.inventory import Inventory, Node
from pytest_ipv6k8s.plugin import run, workers
from pytest_ipv6k8s.plugin.run_facts import RunFacts
from pytest_ipv6k8s.plugin.state import FACTS

NODE = Node(name="n", internal_ips=("fd00::1",), pod_cidrs=(), labels={},
            kubelet="v1", kernel="6", runtime="c")
FACTS_OF_RUN = RunFacts(
    run_id="abc", home=Path(), kubeconfig=Path("none"), context="c", server="https://c",
    owned=True, stack=Stack.IPV6,
    inventory=Inventory(version="v1.36.3", stack=Stack.IPV6, nodes=(NODE,), service_cidrs=(),
                        dns=None, cni="none", proxy="none", host_network_pods=False),
    namespace="n", pods=(), hosts=(), services=())

class FakeRun(run.Run):
    def start(self):
        return replace(FACTS_OF_RUN, home=Path(mkdtemp(dir=".")).absolute())
    def close(self):
        pass

run.Run = FakeRun
"""

CHECKS = '''
import pytest
from pytest_ipv6k8s import Family, Inconclusive, Level, Feature, Record
from pytest_ipv6k8s import WITH_IPV4, check, expect

def declare(id, **more):
    said_by = ["RFC 8200 section 3"]
    return check(id, references=said_by, causes=["bad luck"], look="kubectl get nodes", **more)

@pytest.fixture
def heard(ipv6k8s_recorder):
    answer = {"token": "hunter2"}
    record = Record(source="probe-00", request={"op": "x"}, answer=answer, path="a to b")
    return ipv6k8s_recorder.append(record)

@declare("T-01")
def test_passes(heard):
    """It passes."""
    expect(heard.answer, expected="an answer", actual=heard)

@declare("T-02")
def test_fails(heard):
    """It holds."""
    expect(False, expected="the moon", actual=heard)

@declare("T-03")
def test_asserts_nothing():
    """It says something."""

@declare("T-04")
def test_breaks(heard):
    """It does not break."""
    raise KeyError("ours")

@declare("T-05", stacks=WITH_IPV4)
def test_other_stack(heard):
    """It is for another stack."""

@declare("T-06", features=[Feature.TWO_NODES])
def test_needs_two_nodes(heard):
    """It needs two nodes."""

@declare("T-07", level=Level.INFORMATIONAL)
def test_informs(heard):
    """It informs."""
    assert False, "observed"

@declare("T-08", families=Family)
def test_per_family(family, heard):
    """It runs for each family."""
    expect(family is Family.V6, expected="IPv6", actual=heard)

@pytest.fixture
def broken_setup(heard):
    assert False, "set-up"

@declare("T-09")
def test_broken_setup(broken_setup):
    """Its set-up is broken."""

@declare("T-10")
def test_inconclusive(heard):
    """It finds out."""
    raise Inconclusive("nobody knows")

@declare("T-11", rests_on=["T-02"])
def test_rests_on_a_red_check(heard):
    """It is not asked."""
    expect(False, expected="the sun", actual=heard)
'''


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with one check for each outcome, and a cluster that stands."""
    pytester.makeconftest(FAKE_RUN)
    pytester.makepyfile(test_checks=CHECKS)
    return pytester
