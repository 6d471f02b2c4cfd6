"""A simulated Internet beside a cluster whose nodes are containers on this machine."""

from __future__ import annotations

import importlib.util
import ipaddress
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pytest_ipv6k8s import data
from pytest_ipv6k8s.addresses import Egress, Family, Stack
from pytest_ipv6k8s.agent.ports import HTTP_PORT, TCP_PORT, UDP_PORT
from pytest_ipv6k8s.docker import LABEL, Docker, reason
from pytest_ipv6k8s.errors import HostProblem
from pytest_ipv6k8s.external.model import (
    TESTBED,
    ExternalNetwork,
    Nat64,
    Role,
    Target,
    WellKnownPrefix,
)
from pytest_ipv6k8s.kube import coredns
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.inventory import Node
from pytest_ipv6k8s.process import CommandFailed, Progress
from pytest_ipv6k8s.testbed import image, layout

_HOME = "/ipv6k8s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The testbed that is wanted.

    Attributes:
        run_id: goes into a label of the container.
        image: image of the container; None builds our own.
        stack, nodes: the cluster's.
        egress: how packets of pods are to look to targets.
        dns64: who synthesises AAAA records: ``resolver`` or ``coredns``.
    """

    run_id: str
    image: str | None
    stack: Stack
    nodes: tuple[Node, ...]
    egress: Egress
    dns64: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Testbed:
    """A testbed that is up: what there is, and what has to be undone.

    Attributes:
        external: what there is.
        container: its container.
        nodes: those that were led to it.
        corefile: CoreDNS' own.
        dns_runs: whether CoreDNS ran before it was led.
    """

    external: ExternalNetwork
    container: str
    nodes: tuple[str, ...]
    corefile: str
    dns_runs: bool


def build(
    plan: Plan, api: Api, agent: bytes, home: Path, progress: Progress, docker: Docker
) -> Testbed:
    """Build the testbed and lead the cluster's pods to it; all or nothing.

    Args:
        plan: what is wanted.
        api: the cluster's API server; its CoreDNS is pointed at the testbed's resolver.
        agent: the probe agent, as a zip that Python runs.
        home: a folder of the run's own.
        progress: told what happens.
        docker: the engine in which the cluster's nodes are.

    Raises:
        HostProblem: the engine cannot make it.
        DnsDown: CoreDNS does not come back, without the testbed either.
        ClusterError: CoreDNS cannot be led to it.
    """
    used = image.require(plan.image, docker, home, progress)
    network = _network_of(docker, plan.nodes[0].name)
    _refuse_second(docker, f"{network}-testbed")
    built = Testbed(
        external=network_of(plan.egress, container=f"{network}-testbed"),
        container=f"{network}-testbed",
        nodes=tuple(node.name for node in plan.nodes),
        corefile=coredns.healthy_corefile(api),
        dns_runs=coredns.runs(api),
    )
    try:
        _start_container(docker, built.container, network, used, plan.run_id)
        _copy_programs(docker, built.container, agent, home)
        ours = _addresses_of(docker, built.container)
        _run_in(docker, built.container, "container", {"routes": _routes_back(plan)})
        for node in plan.nodes:
            _lead_node(docker, node, plan, ours)
        _point(api, built, _corefile(built.corefile, plan), before=built.corefile)
    except BaseException:
        remove(built, api, docker)
        raise
    return built


def remove(built: Testbed, api: Api | None, docker: Docker) -> None:
    """Remove the testbed, and from the nodes and CoreDNS what led to it; twice is fine.

    Args:
        built: what stands.
        api: the cluster's API server, None when the cluster goes as well.
        docker: the engine in which it stands.

    Raises:
        DnsDown: CoreDNS does not come back.
    """
    try:
        docker.remove_containers([built.container])
    except CommandFailed as error:
        if error.finished is None:  # an engine that does not answer; no such container is fine
            raise
    if api is None:
        return
    for node in built.nodes:
        docker.exec(node, ["sh", "-c", _leave_script()])
    if not coredns.is_pointed(api, built.corefile):
        _point(api, built, built.corefile, before=None)


def _point(api: Api, built: Testbed, corefile: str, *, before: str | None) -> None:
    coredns.point(api, corefile, before=before, wait=built.dns_runs)


def _refuse_second(docker: Docker, container: str) -> None:
    if docker.exists(container):
        raise HostProblem(
            f"there is a testbed beside this cluster already: container {container}",
            remedy=f"let the other run end, or remove what it left: docker rm --force {container}",
        )


def _network_of(docker: Docker, node: str) -> str:
    try:
        networks = docker.networks_of(node)
    except CommandFailed:
        raise HostProblem(
            f"node {node} is no container on this machine, so no testbed can be built beside it",
            remedy="declare external targets with --ipv6k8s-declaration",
        ) from None
    return next(iter(networks))


def _start_container(docker: Docker, name: str, network: str, image: str, run_id: str) -> None:
    sysctls = ("net.ipv6.conf.all.disable_ipv6=0", "net.ipv6.conf.default.disable_ipv6=0")
    arguments = ["--init", "--privileged", "--name", name, "--network", network]
    arguments += ["--label", f"{LABEL}={run_id}", "--hostname", "testbed"]
    for sysctl in (*sysctls, "net.ipv6.conf.all.forwarding=1"):
        arguments += ["--sysctl", sysctl]
    try:
        docker.start([*arguments, image, "sleep", "infinity"])
        docker.must_exec(name, ["test", "-c", "/dev/net/tun"])
    except CommandFailed as error:
        raise HostProblem(
            f"the container engine cannot make the testbed: "
            f"{reason(error) or 'there is no /dev/net/tun'}",
            remedy="allow privileged containers with TUN, or do without: --ipv6k8s-external none",
        ) from None


def _copy_programs(docker: Docker, container: str, agent: bytes, home: Path) -> None:
    """Lay out what runs in the container, and copy it there."""
    folder = home / "testbed"
    shutil.rmtree(folder, ignore_errors=True)
    site = folder / "site" / "pytest_ipv6k8s" / "testbed"
    site.mkdir(parents=True)
    (folder / "agent.pyz").write_bytes(agent)
    (site.parent / "__init__.py").write_text("")
    (site / "__init__.py").write_text("")
    for name in ("layout.py", "container.py"):
        source = resources.files("pytest_ipv6k8s.testbed").joinpath(name)
        (site / name).write_text(source.read_text("utf-8"))
    ignored = shutil.ignore_patterns("__pycache__", "tests")
    with data.folder("testbed/servers") as servers:
        shutil.copytree(servers, folder / "servers", ignore=ignored)
    found = importlib.util.find_spec("pyroute2")
    if found is None or found.origin is None:
        raise HostProblem("the testbed needs pyroute2", remedy="install it: pip install pyroute2")
    shutil.copytree(Path(found.origin).parent, folder / "site" / "pyroute2", ignore=ignored)
    docker.copy_into(container, f"{folder}/.", _HOME)
    shutil.rmtree(folder)


def _run_in(docker: Docker, container: str, module: str, plan: Any) -> None:
    try:
        docker.must_exec(
            container,
            ["python3", "-m", f"pytest_ipv6k8s.testbed.{module}"],
            options=["--env", f"PYTHONPATH={_HOME}/site"],
            timeout=docker.timeouts.testbed_start,
            stdin=json.dumps(plan),
        )
    except CommandFailed as error:
        raise HostProblem(
            f"the testbed cannot be built: {reason(error)}",
            remedy="look at `docker info`, or do without: --ipv6k8s-external none",
        ) from None


def _addresses_of(docker: Docker, container: str) -> dict[Family, str]:
    (network,) = docker.networks_of(container).values()
    found = {Family.V4: network["IPAddress"], Family.V6: network["GlobalIPv6Address"]}
    return {family: address for family, address in found.items() if address}


def _nptv6_prefix(number: int) -> str:
    return f"2001:db8:f:{number + 1:x}::/64"


def _cidr(node: Node, family: Family) -> str | None:
    return next((cidr for cidr in node.pod_cidrs if Family.of(cidr) is family), None)


def _ip(node: Node, family: Family) -> str | None:
    return next((ip for ip in node.internal_ips if Family.of(ip) is family), None)


def _routes_back(plan: Plan) -> dict[str, str]:
    """Return the routes from the testbed to pods: none where packets bear a node's address."""
    routes = {}
    for number, node in enumerate(plan.nodes):
        for family in plan.stack.families:
            cidr, via = _cidr(node, family), _ip(node, family)
            if not cidr or not via:
                continue
            if plan.egress is Egress.NATIVE:
                routes[cidr] = via
            elif plan.egress is Egress.NPTV6 and family is Family.V6:
                routes[_nptv6_prefix(number)] = via
    return routes


def _lead_node(docker: Docker, node: Node, plan: Plan, ours: dict[Family, str]) -> None:
    """Give a node routes to the testbed, and rules that make its pods' packets look as wanted.

    What an earlier testbed may have left goes first: rules of two styles do not mix.
    """
    lines = _without_rules()
    for family in plan.stack.families:
        six = family is Family.V6
        for destination in layout.IPV6_ROUTES if six else layout.IPV4_ROUTES:
            lines.append(
                f"ip {'-6' if six else '-4'} route replace {destination} via {ours[family]}"
            )
        cidr = _cidr(node, family)
        if cidr:
            lines += _egress_lines(plan, node, family, cidr)
    docker.must_exec(node.name, ["sh", "-ex"], stdin="\n".join(lines))


def _egress_lines(plan: Plan, node: Node, family: Family, cidr: str) -> list[str]:
    """Return the rules of a style; to masquerade is the CNI's own task, and under test."""
    six = family is Family.V6
    kind, outside = ("ip6", layout.IPV6_ROUTES) if six else ("ip", layout.IPV4_ROUTES)
    away = f"{kind} saddr {cidr} {kind} daddr {{ {', '.join(outside)} }}"
    back = f"{kind} saddr {{ {', '.join(outside)} }}"
    translate = plan.egress is Egress.NPTV6 and six
    if plan.egress is Egress.NONE:
        chain = ["type filter hook forward priority -10", f"{away} drop"]
    elif plan.egress is not Egress.NATIVE and not translate:
        return []
    else:
        own = _nptv6_prefix(plan.nodes.index(node)) if translate else cidr
        untracked = [f"{away} notrack", f"{back} {kind} daddr {own} notrack"]
        chain = ["type filter hook prerouting priority raw", *untracked]
    table = ["nft -f - <<'END'", f"table {kind} ipv6k8s_egress {{", "chain egress {"]
    lines = [*table, *(f"{line};" for line in chain), "}", "}", "END"]
    return lines + (_nptv6_lines(plan, node, cidr) if translate else [])


def _nptv6_lines(plan: Plan, node: Node, cidr: str) -> list[str]:
    outer = _nptv6_prefix(plan.nodes.index(node))
    inner = str(ipaddress.ip_network(cidr))
    rules = []
    for outside in layout.IPV6_ROUTES:
        rules.append(
            f"ip6tables -t mangle -A POSTROUTING -s {inner} -d {outside} "
            f"-j SNPT --src-pfx {inner} --dst-pfx {outer}"
        )
    rules.append(
        f"ip6tables -t mangle -A PREROUTING -d {outer} -j DNPT --src-pfx {outer} --dst-pfx {inner}"
    )
    return rules


def _leave_script() -> str:
    lines = [f"ip -6 route del {destination}" for destination in layout.IPV6_ROUTES]
    lines += [f"ip -4 route del {destination}" for destination in layout.IPV4_ROUTES]
    return "\n".join([*(f"{line} 2>/dev/null || true" for line in lines), *_without_rules()])


def _without_rules() -> list[str]:
    """Return the lines that take the rules of any style off a node; none need be there."""
    undo = "ip6tables-save -t mangle | grep -v NPT | ip6tables-restore"
    lines = [f"nft delete table {kind} ipv6k8s_egress" for kind in ("ip6", "ip")]
    lines.append(f"ip6tables-save -t mangle | grep -q NPT && {undo}")
    return [f"{line} 2>/dev/null || true" for line in lines]


def _corefile(before: str, plan: Plan) -> str:
    own = plan.dns64 == "coredns"
    servers = layout.PLAIN_SERVER if own else layout.DNS64_SERVER
    upstreams = [servers[0 if family is Family.V6 else 1] for family in plan.stack.families]
    dns64 = layout.NAT64_PREFIXES[0] if own else ""
    return coredns.corefile_towards(before, upstreams, dns64=dns64)


def network_of(egress: Egress, *, container: str = "testbed") -> ExternalNetwork:
    """Return what the testbed has; nothing is made."""
    return ExternalNetwork(
        source=TESTBED,
        targets=(*_hosts(container), *_dead_ends()),
        egress=egress,
        nat64=Nat64(
            prefixes=layout.NAT64_PREFIXES,
            pool=(f"{layout.NAT64_POOL}/32",),
            well_known_prefix=WellKnownPrefix.STRICT,
            local_use=True,
            private_host=layout.PRIVATE_HOST,
        ),
        dns64=True,
        zone=layout.ZONE,
        proxy=f"http://[{layout.PROXY[0]}]:{layout.PROXY[1]}",
        registry=f"http://[{layout.REGISTRY[0]}]:{layout.REGISTRY[1]}",
    )


def _hosts(container: str) -> Sequence[Target]:
    return [
        Target(
            role=Role(host.role),
            addresses=tuple(filter(None, (host.ipv6, host.ipv4))),
            name=f"{host.role}.{layout.ZONE}.",
            tcp=TCP_PORT,
            udp=UDP_PORT,
            http=HTTP_PORT,
            identifies=True,
            ping=True,
            ask=ask_command(container, host.role),
        )
        for host in layout.HOSTS
    ]


def ask_command(container: str, host: str) -> tuple[str, ...]:
    """Return the command that starts the agent on a host of the testbed."""
    enter = ("docker", "exec", "-i", container, "ip", "netns", "exec", host)
    return (*enter, "python3", "-I", f"{_HOME}/agent.pyz", "ask")


def _dead_ends() -> Sequence[Target]:
    return [
        Target(
            role=Role.BLACK_HOLE, addresses=layout.BLACK_HOLE, name=f"black-hole.{layout.ZONE}."
        ),
        Target(role=Role.REJECTER, addresses=layout.REJECTER, name=f"rejecter.{layout.ZONE}."),
    ]
