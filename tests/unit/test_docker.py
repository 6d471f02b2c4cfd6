"""Networks of our own in the container engine, and what it tells of the others."""

from __future__ import annotations

import ipaddress
import json

import pytest

from pytest_ipv6k8s import docker
from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.errors import HostProblem
from tests.programs import Engine, network

BOTH = (Family.V4, Family.V6)


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A container engine that is recorded."""
    made = Engine({"docker network inspect": network(subnets=("172.18.0.0/16", "fd81:1::/64"))})
    made.stand_in(monkeypatch, docker)
    return made


def test_an_ipv6_only_network_is_asked_for_without_ipv4(programs: Engine) -> None:
    programs.usual["docker network inspect"] = network(ipv4=False, subnets=("fd00:1::/64",))

    assert docker.Docker().make_network("mine", "abc", [Family.V6]) == ("fd00:1::/64",)

    (made,) = programs.lines("docker network create")
    assert " --label ipv6k8s.run=abc --ipv4=false --ipv6 --subnet fd" in made


def test_an_engine_that_gives_ipv4_nevertheless_is_told(programs: Engine) -> None:
    with pytest.raises(HostProblem, match="makes no networks without IPv4") as caught:
        docker.Docker().make_network("mine", "abc", [Family.V6])

    assert "Docker Engine 28" in caught.value.remedy


def test_fixed_addresses_need_the_engines_own_subnets_given_back(programs: Engine) -> None:
    docker.Docker().make_network("mine", "abc", BOTH, fixed=True)

    first, second = programs.lines("docker network create")
    assert "--subnet 172" not in first
    assert second.endswith("--ipv6 --subnet 172.18.0.0/16 --subnet fd81:1::/64 mine")
    lines = programs.lines()
    assert lines[lines.index(second) - 1] == "docker network rm mine"


def test_our_subnet_keeps_clear_of_the_ranges(programs: Engine) -> None:
    docker.Docker().make_network("mine", "abc", BOTH, avoid=["fd00::/9"])

    (made,) = programs.lines("docker network create")
    subnet = ipaddress.ip_network(made.split()[-2])
    assert subnet.subnet_of(ipaddress.ip_network("fd80::/9"))  # type: ignore[arg-type]


def test_ranges_that_leave_no_room_are_told(programs: Engine) -> None:
    with pytest.raises(HostProblem, match="leave no room in fd00::/8"):
        docker.Docker().make_network("mine", "abc", BOTH, avoid=["fd00::/8"])

    assert programs.lines() == []


def test_a_subnet_of_the_engines_choice_that_overlaps_a_range_is_told(programs: Engine) -> None:
    with pytest.raises(HostProblem) as caught:
        docker.Docker().make_network("mine", "abc", BOTH, avoid=["172.16.0.0/12"])

    assert "chose 172.18.0.0/16 for its network, which overlaps 172.16.0.0/12" in str(caught.value)
    assert "--ipv6k8s-pod-cidr" in caught.value.remedy


def test_subnets_are_told_by_the_name_of_their_network(programs: Engine) -> None:
    programs.usual["docker network ls"] = "1\n2\n"
    programs.usual["docker network inspect 1 2"] = json.dumps(
        [
            {"Name": "host", "IPAM": {"Config": None}},
            {"Name": "mine", "IPAM": {"Config": [{"Subnet": "fd00:1::/64"}, {"Gateway": "::1"}]}},
        ]
    )

    assert docker.Docker().subnets() == {"host": (), "mine": ("fd00:1::/64",)}


def test_an_engine_without_networks_has_no_subnets(programs: Engine) -> None:
    assert docker.Docker().subnets() == {}
    assert not programs.lines("docker network inspect")


def test_the_api_version_is_the_one_agreed_on(programs: Engine) -> None:
    programs.usual["docker version"] = "1.48\n"

    assert docker.Docker().api_version() == (1, 48)


def test_containers_of_a_run_are_found_by_its_label(programs: Engine) -> None:
    programs.usual["docker ps"] = "b\na\n"

    assert docker.Docker().containers("abc") == ["a", "b"]
    assert programs.lines()[0].startswith("docker ps --all --filter label=ipv6k8s.run=abc ")
