"""`ipv6k8s init --probe` writes what a pod found, and `ipv6k8s target` starts what it asks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ipv6k8s.addresses import Egress, Stack
from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.external import observed
from pytest_ipv6k8s.external.declaration import Declaration, draft, read, with_targets
from pytest_ipv6k8s.external.model import OUR_AGENT, Role
from pytest_ipv6k8s.external.observed import Observed

SYNTHESISED = ("192.0.0.170", "64:ff9b::c000:aa", "64:ff9b::c000:ab")


def _written(found: Observed, engine: str = "") -> str:
    return observed.written(draft(Stack.DUAL, about="v1"), found, policy_engine=engine)


def test_the_prefix_is_found_in_the_records_of_the_well_known_name() -> None:
    assert observed.prefixes_in(SYNTHESISED) == ("64:ff9b::/96",)
    assert observed.prefixes_in(SYNTHESISED[:1]) == ()


def test_what_is_found_is_declared_and_says_how_and_that_it_is_to_be_checked(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ipv6k8s.yaml"
    found = Observed(prefixes=("2001:db8:64::/96",), egress=Egress.NATIVE, seen="pod p was seen")
    path.write_text(_written(found, "Cilium"))

    declared = read(path)

    assert declared.external is not None
    assert declared.external.nat64 is not None
    assert declared.external.nat64.prefixes == ("2001:db8:64::/96",)
    assert (declared.external.dns64, declared.external.egress) == (True, Egress.NATIVE)
    assert declared.network_policy is True
    comments = [line for line in path.read_text().splitlines() if line.startswith("# Found")]
    assert len(comments) == 4
    assert all("check it: the suite judges by this line" in line for line in comments)


def test_what_is_not_found_is_not_declared(tmp_path: Path) -> None:
    path = tmp_path / "ipv6k8s.yaml"
    path.write_text(_written(Observed()))

    declared = read(path)

    assert declared.external is not None
    assert (declared.external.nat64, declared.external.no_nat64) == (None, True)
    assert (declared.external.egress, declared.network_policy) == (None, False)
    assert "no AAAA record of ipv4only.arpa.; check it" in path.read_text()
    assert "# Not found: no target was asked; see --target." in path.read_text()


@pytest.mark.parametrize("target", ["2001:db8::1:agent", "[2001:db8::1]:443"])
def test_a_target_that_does_not_say_whom_it_saw_is_refused(target: str) -> None:
    with pytest.raises(ConfigError, match="is not of the form"):
        observed._address_of(target)


@pytest.mark.parametrize("docker", [(), ("--docker",)])
def test_one_command_starts_a_target(
    capsys: pytest.CaptureFixture[str], docker: tuple[str, ...]
) -> None:
    cli.main(["target", "web.example", *docker])

    command, *_, run = capsys.readouterr().out.splitlines()
    assert command.startswith("ipv6k8s target --agent | ssh web.example 'cat > agent.pyz && exec ")
    assert "POD_NAME=target-dual" in command
    assert run.endswith("--ipv6k8s-target 'dual=[IPV6]:agent' --ipv6k8s-target 'dual=IPV4:agent'")


def test_the_agent_that_is_written_runs(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pytest_ipv6k8s", "target", "--agent"]
    agent = tmp_path / "agent.pyz"
    agent.write_bytes(subprocess.run(words, capture_output=True, check=True).stdout)

    asked = [sys.executable, "-I", str(agent), "ask"]

    assert subprocess.run(asked, input=b"bye\n", env=dict(os.environ), check=True).returncode == 0


def test_a_target_of_ours_has_all_its_ports_and_says_whom_it_saw() -> None:
    nothing = Declaration(stack=None, external=None)

    network = with_targets(nothing, [("v6", "2001:db8::1", OUR_AGENT)]).external

    assert network is not None
    target = network.find(Role.V6)
    assert target is not None
    assert target.identifies
    assert (target.tcp, target.udp, target.http) == (8081, 8082, 8080)
