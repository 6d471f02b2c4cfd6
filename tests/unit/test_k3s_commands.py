"""The command lines of K3s' nodes.

K3s has not been run here: every flag is held against its documentation (FLAGS).
"""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.clusters.contract import ClusterSpec, K3sComponent, KubeProxy
from pytest_ipv6k8s.clusters.providers import k3s

NAME = "ipv6k8s-abc"
SERVER, AGENT = f"{NAME}-server", f"{NAME}-agent-1"
SPEC = ClusterSpec(run_id="abc", stack=Stack.IPV6, workers=1, probe_image="probe:1")
SUBNETS = {Family.V4: "172.18.0.0/16", Family.V6: "fd12:3456:789a::/64"}

# Where each flag of K3s is documented: pages of docs.k3s.io, and their sections.
FLAGS = {
    "--node-ip": "k3s agent, Networking; Basic Network Options, Dual-stack: IPv6 first by hand",
    "--kube-proxy-arg": "k3s agent, Customized Flags; nft is bundled: k3s-io/k3s#11267",
    "--cluster-cidr": "k3s server, Networking; Basic Network Options, Dual-stack and Single-stack",
    "--service-cidr": "k3s server, Networking; Basic Network Options, Dual-stack: at most /112",
    "--tls-san": "k3s server, Listeners",
    "--kube-controller-manager-arg": "k3s server, Customized Flags; Basic Network Options: masks",
    "--flannel-ipv6-masq": "Basic Network Options, Flannel Options: not with backend none",
    "--flannel-backend": "Basic Network Options, Custom CNI",
    "--disable-network-policy": "Basic Network Options, Custom CNI",
    "--disable-kube-proxy": "k3s server, Kubernetes Components",
    "--disable": "Managing Packaged Components, Using the --disable flag",
}


def _made(stack: Stack, **more: object) -> list[list[str]]:
    """Return the command lines of the server and of one agent."""
    spec = k3s.settled(replace(SPEC, stack=stack, **more))  # type: ignore[arg-type]
    subnets = [SUBNETS[family] for family in stack.families]
    server, agent = (
        k3s.Node(name=name, addresses=k3s.addresses(stack, subnets, number))
        for number, name in enumerate((SERVER, AGENT))
    )
    return [
        ["docker", "run", "--detach", *k3s.container_arguments(node, server, spec, "k3s:1")]
        for node in (server, agent)
    ]


RUN = f"docker run --detach --privileged --network {NAME}"
OWN = "--label ipv6k8s.run=abc --env K3S_TOKEN --tmpfs /run --tmpfs /var/run"
SYSCTLS = "--sysctl net.ipv6.conf.all.disable_ipv6=0 --sysctl net.ipv6.conf.all.forwarding=1"
MASK = "--kube-controller-manager-arg=node-cidr-mask-size"
GOLDEN = {
    Stack.IPV6: (
        f"{RUN} --name {SERVER} --hostname {SERVER} {OWN} --ip6 fd12:3456:789a::a {SYSCTLS} "
        "--publish [::1]::6443 k3s:1 server --node-ip=fd12:3456:789a::a "
        "--cluster-cidr=fd00:42::/56 --service-cidr=fd00:43::/112 --tls-san=::1 "
        f"{MASK}-ipv6=64 --flannel-ipv6-masq",
        f"{RUN} --name {AGENT} --hostname {AGENT} {OWN} --ip6 fd12:3456:789a::b {SYSCTLS} "
        "--env K3S_URL=https://[fd12:3456:789a::a]:6443 k3s:1 agent --node-ip=fd12:3456:789a::b",
    ),
    Stack.DUAL: (
        f"{RUN} --name {SERVER} --hostname {SERVER} {OWN} --ip 172.18.0.10 "
        f"--ip6 fd12:3456:789a::a {SYSCTLS} --publish 127.0.0.1::6443 k3s:1 server "
        "--node-ip=172.18.0.10,fd12:3456:789a::a "
        "--cluster-cidr=10.42.0.0/16,fd00:42::/56 --service-cidr=10.43.0.0/16,fd00:43::/112 "
        f"--tls-san=127.0.0.1 {MASK}-ipv4=24 {MASK}-ipv6=64 --flannel-ipv6-masq",
        f"{RUN} --name {AGENT} --hostname {AGENT} {OWN} --ip 172.18.0.11 "
        f"--ip6 fd12:3456:789a::b {SYSCTLS} --env K3S_URL=https://172.18.0.10:6443 k3s:1 agent "
        "--node-ip=172.18.0.11,fd12:3456:789a::b",
    ),
    Stack.DUAL_IPV6: (
        f"{RUN} --name {SERVER} --hostname {SERVER} {OWN} --ip6 fd12:3456:789a::a "
        f"--ip 172.18.0.10 {SYSCTLS} --publish 127.0.0.1::6443 k3s:1 server "
        "--node-ip=fd12:3456:789a::a,172.18.0.10 "
        "--cluster-cidr=fd00:42::/56,10.42.0.0/16 --service-cidr=fd00:43::/112,10.43.0.0/16 "
        f"--tls-san=127.0.0.1 {MASK}-ipv6=64 {MASK}-ipv4=24 --flannel-ipv6-masq",
        f"{RUN} --name {AGENT} --hostname {AGENT} {OWN} --ip6 fd12:3456:789a::b "
        f"--ip 172.18.0.11 {SYSCTLS} --env K3S_URL=https://[fd12:3456:789a::a]:6443 k3s:1 agent "
        "--node-ip=fd12:3456:789a::b,172.18.0.11",
    ),
    Stack.IPV4: (
        f"{RUN} --name {SERVER} --hostname {SERVER} {OWN} --ip 172.18.0.10 "
        "--publish 127.0.0.1::6443 k3s:1 server --node-ip=172.18.0.10 "
        "--cluster-cidr=10.42.0.0/16 --service-cidr=10.43.0.0/16 --tls-san=127.0.0.1 "
        f"{MASK}-ipv4=24",
        f"{RUN} --name {AGENT} --hostname {AGENT} {OWN} --ip 172.18.0.11 "
        "--env K3S_URL=https://172.18.0.10:6443 k3s:1 agent --node-ip=172.18.0.11",
    ),
}


@pytest.mark.parametrize("stack", Stack)
def test_the_command_lines_of_every_stack(stack: Stack) -> None:
    server, agent = _made(stack)

    assert server == shlex.split(GOLDEN[stack][0])
    assert agent == shlex.split(GOLDEN[stack][1])


VARIANTS: dict[str, tuple[dict[str, object], set[str], set[str]]] = {
    "another CNI": (
        {"cni": "cilium"},
        {"--flannel-backend=none", "--disable-network-policy"},
        {"--flannel-ipv6-masq"},
    ),
    "another CNI that serves Services": (
        {"cni": "cilium", "kube_proxy": KubeProxy.NONE},
        {"--flannel-backend=none", "--disable-network-policy", "--disable-kube-proxy"},
        {"--flannel-ipv6-masq"},
    ),
    "kube-proxy in nftables mode": (
        {"kube_proxy": KubeProxy.NFTABLES},
        {"--kube-proxy-arg=proxy-mode=nftables"},
        set(),
    ),
    "kube-proxy in iptables mode": (
        {"kube_proxy": KubeProxy.IPTABLES},
        {"--kube-proxy-arg=proxy-mode=iptables"},
        set(),
    ),
    "without ServiceLB and Traefik": (
        {"k3s_disable": tuple(K3sComponent)},
        {"--disable=servicelb", "--disable=traefik"},
        set(),
    ),
    "other ranges": (
        {"pod_cidrs": ("fd01::/64",), "service_cidrs": ("fd02::/116",)},
        {"--cluster-cidr=fd01::/64", "--service-cidr=fd02::/116", f"{MASK}-ipv6=65"},
        {"--cluster-cidr=fd00:42::/56", "--service-cidr=fd00:43::/112", f"{MASK}-ipv6=64"},
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_wanted_becomes_a_flag(variant: str) -> None:
    spec, more, less = VARIANTS[variant]
    plain = set(_made(Stack.IPV6)[0])

    assert set(_made(Stack.IPV6, **spec)[0]) == (plain | more) - less


def test_agents_run_kube_proxy_in_the_same_mode_and_take_the_rest_from_the_server() -> None:
    _, plain = _made(Stack.IPV6)
    _, agent = _made(Stack.IPV6, cni="cilium", kube_proxy=KubeProxy.NFTABLES)

    assert set(agent) - set(plain) == {"--kube-proxy-arg=proxy-mode=nftables"}


@pytest.mark.parametrize("stack", Stack)
@pytest.mark.parametrize("variant", [{}, *(spec for spec, _, _ in VARIANTS.values())])
def test_every_flag_of_k3s_is_a_documented_one(stack: Stack, variant: dict[str, object]) -> None:
    of_stack = {name: value for name, value in variant.items() if not name.endswith("cidrs")}
    for command in _made(stack, **of_stack):
        told = command[command.index("k3s:1") + 1 :]

        assert told[0] in ("server", "agent")
        assert {flag.partition("=")[0] for flag in told[1:]} <= set(FLAGS)
