"""Worlds in which NetworkPolicies do not do what they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.kube.client import Cause, Outcome
from tests.checks import policies
from tests.checks.breaking import Break, Broken
from tests.checks.policies import Packet
from tests.checks.world import World

V4, V6, IPV4, DUAL, DUAL6 = Family.V4, Family.V6, Stack.IPV4, Stack.DUAL, Stack.DUAL_IPV6
Verdict = Callable[[Packet, bool], bool]


def cni(verdict: Verdict) -> Break:
    """A CNI with verdicts of its own."""

    def break_it(world: World) -> None:
        world.policed.verdict = verdict

    return break_it


def ignored(where: Callable[[Packet], bool]) -> Break:
    """Policies are ignored for some packets."""
    return cni(lambda packet, right: right or where(packet))


def shut(where: Callable[[Packet], bool]) -> Break:
    """Some packets are dropped while any policy shuts anything; without one all is open."""

    def break_it(world: World) -> None:
        world.policed.verdict = lambda packet, right: (
            right and not (world.policed.standing and where(packet))
        )

    return break_it


def judged(change: Callable[[dict[str, Any]], None]) -> Break:
    """The API server keeps policies as written, and the CNI reads something else in them."""

    def break_it(world: World) -> None:
        def verdict(packet: Packet, right: bool) -> bool:
            import copy

            read = copy.deepcopy(list(world.policed.standing.values()))
            for policy in read:
                change(policy)  # type: ignore[arg-type]
            return policies.allowed(read, packet)

        world.policed.verdict = verdict

    return break_it


def admission(change: Callable[[Mapping[str, Any], Outcome], Outcome]) -> Break:
    """The API server's admission has a will of its own."""

    def break_it(world: World) -> None:
        world.policed.admit = lambda body: change(body, policies.admit(body))

    return break_it


def field(**changed: Any) -> Break:
    """Change attributes of the sandbox."""

    def break_it(world: World) -> None:
        for name, value in changed.items():
            setattr(world.policed, name, value)

    return break_it


def of(family: Family) -> Callable[[Packet], bool]:
    """Pick the packets of a family."""
    return lambda packet: Family.of(packet.target.address) is family


def across(packet: Packet) -> bool:
    """Pick the packets between nodes."""
    return packet.source.node != packet.target.node


def near(packet: Packet) -> bool:
    """Pick the packets that stay on a node."""
    return packet.source.node == packet.target.node


def over(protocol: str) -> Callable[[Packet], bool]:
    """Pick the packets of a protocol."""
    return lambda packet: packet.protocol == protocol


def to_port(*ports: int) -> Callable[[Packet], bool]:
    """Pick the packets to some ports."""
    return lambda packet: packet.port in ports


def named(side: str, name: str) -> Callable[[Packet], bool]:
    """Pick the packets of a pod by its label."""
    return lambda packet: ("ipv6k8s/pod", name) in getattr(packet, side).labels


def fresh(packet: Packet) -> bool:
    """Pick the packets of pods that started under a policy."""
    return any(key == "ipv6k8s/pod" and "-main" in value for key, value in packet.source.labels)


def _blocks(policy: dict[str, Any]) -> list[dict[str, Any]]:
    rules = policy["spec"].get("egress", [])
    return [p["ipBlock"] for r in rules for p in r.get("to", []) if "ipBlock" in p]


def _without_holes(policy: dict[str, Any]) -> None:
    for block in _blocks(policy):
        block.pop("except", None)


def _widened(policy: dict[str, Any]) -> None:
    for block in _blocks(policy):
        if block["cidr"].endswith("/128"):
            block["cidr"] = "::/0"


def _without_ranges(policy: dict[str, Any]) -> None:
    for rule in policy["spec"].get("ingress", []):
        for port in rule.get("ports", []):
            port.pop("endPort", None)


def _names_forgotten(policy: dict[str, Any]) -> None:
    for rule in policy["spec"].get("ingress", []):
        for port in rule.get("ports", []):
            if isinstance(port.get("port"), str):
                port["port"] = 1


def _everywhere(policy: dict[str, Any]) -> None:
    for rule in policy["spec"].get("ingress", []):
        for peer in rule.get("from", []):
            if "podSelector" in peer:
                peer["namespaceSelector"] = {}


def _any_namespace(policy: dict[str, Any]) -> None:
    for rule in policy["spec"].get("ingress", []):
        for peer in rule.get("from", []):
            peer["namespaceSelector"] = {}


def _mixed_refused(policy: dict[str, Any]) -> None:
    if len({Family.of(block["cidr"]) for block in _blocks(policy)}) > 1:
        policy["spec"]["egress"] = []


def _any_of_any(policy: dict[str, Any]) -> None:
    if any(block["cidr"] in ("0.0.0.0/0", "::/0") for block in _blocks(policy)):
        policy["spec"]["egress"] = [{}]


def _hole_dropped(body: Mapping[str, Any], outcome: Outcome) -> Outcome:
    """Drop `except` before validation, as an admission policy would."""
    import copy

    changed = copy.deepcopy(dict(body))
    _without_holes(changed)
    return policies.admit(changed)


def _anything_goes(body: Mapping[str, Any], outcome: Outcome) -> Outcome:
    return Outcome(code=201, object=dict(body))


def _nothing_goes(body: Mapping[str, Any], outcome: Outcome) -> Outcome:
    nothing = (Cause(field="spec", reason="FieldValueInvalid", message="not today"),)
    return Outcome(code=422, object={}, message="no", causes=outcome.causes or nothing)


def _mapped_open(world: World) -> None:
    """The kernel's own verdict on ::ffff:a.b.c.d is that of an IPv6 address."""

    def answer(pod: Any, request: Any, honest: Any) -> Any:
        from dataclasses import replace

        if request.address.startswith("::ffff:") and pod.name == "denied":
            return replace(honest, connected=True)
        return honest

    world.override("tcp_connect", answer)


def _just_a_deny_of_all(world: World) -> None:
    """A CNI that knows the policy which shows that any is enforced, and ignores all others."""

    def verdict(packet: Packet, right: bool) -> bool:
        return right or not any("/pol-enforced" in path for path in world.policed.standing)

    world.policed.verdict = verdict


OPEN = _just_a_deny_of_all
ROWS = [
    Broken(
        "POL-00",
        "isolated without a policy",
        cni(lambda p, right: right and not of(V6)(p)),
        family=V6,
    ),
    Broken("POL-00", "a policy outlives its deletion", field(forgets=False), family=V6),
    Broken(
        "POL-00",
        "something answers everywhere",
        lambda world: world.override(
            "tcp_connect",
            lambda p, r, a: type(a)(
                connected=True,
                echoed=True,
                pod="server-a" if r.address in world.policed.pods["server-a"].ips else a.pod,
            ),
        ),
        family=V6,
    ),
    *(
        Broken(id, "ignored", OPEN, family=V6)
        for id in ("POL-01", "POL-02", "POL-03", "POL-04", "POL-09", "POL-12", "POL-14")
    ),
    *(Broken(id, "ignored", OPEN) for id in ("POL-05", "POL-06", "POL-10", "POL-11")),
    *(Broken(id, "ignored", OPEN, DUAL) for id in ("POL-07", "POL-08", "POL-16")),
    *(
        Broken(id, "ignored for IPv6", ignored(of(V6)), DUAL, V6)
        for id in ("POL-01", "POL-02", "POL-03", "POL-04", "POL-09", "POL-12", "POL-14")
    ),
    *(
        Broken(id, "ignored for IPv4", ignored(of(V4)), DUAL6, V4)
        for id in ("POL-01", "POL-02", "POL-03", "POL-04", "POL-09", "POL-12", "POL-14")
    ),
    *(
        Broken(id, "everything shut", shut(lambda packet: True), family=V6)
        for id in ("POL-01", "POL-02", "POL-03", "POL-04", "POL-09", "POL-12", "POL-14")
    ),
    *(
        Broken(id, "everything shut", shut(lambda packet: True))
        for id in ("POL-05", "POL-06", "POL-10", "POL-11")
    ),
    *(Broken(id, "one family shut", shut(of(V6)), DUAL) for id in ("POL-07", "POL-08", "POL-16")),
    Broken("POL-01", "open between nodes", ignored(across), family=V6),
    Broken("POL-01", "open on a node", ignored(near), family=V6),
    Broken("POL-01", "open over UDP", ignored(over("UDP")), family=V6),
    Broken(
        "POL-01",
        "egress shut as well",
        shut(lambda p: p.target.namespace.endswith("elsewhere")),
        family=V6,
    ),
    Broken("POL-01", "policies are refused", admission(_nothing_goes), family=V6),
    Broken(
        "POL-02",
        "DNS over TCP is shut",
        shut(lambda p: p.port == 53 and p.protocol == "TCP"),
        family=V6,
    ),
    Broken("POL-02", "open over UDP", ignored(lambda p: p.port == 8082), family=V6),
    Broken("POL-03", "labels of any namespace open", judged(_everywhere), family=V6),
    Broken("POL-03", "friends are shut between nodes", shut(across), family=V6),
    Broken("POL-04", "any namespace opens", judged(_any_namespace), family=V6),
    Broken("POL-05", "a /128 opens everything", judged(_widened), DUAL),
    Broken("POL-05", "a pod is open", ignored(named("target", "server-a"))),
    Broken("POL-06", "the hole is open", judged(_without_holes)),
    Broken("POL-06", "the hole is dropped by admission", admission(_hole_dropped)),
    Broken("POL-07", "a list of both families breaks", judged(_mixed_refused), DUAL),
    Broken("POL-07", "IPv6 stays open", ignored(of(V6)), DUAL),
    Broken("POL-07", "IPv4 stays open", ignored(of(V4)), DUAL6),
    Broken("POL-08", "any of one family is any at all", judged(_any_of_any), DUAL),
    Broken("POL-09", "the range is cut", judged(_without_ranges), family=V6),
    Broken("POL-09", "the range is open at its end", ignored(to_port(8084)), family=V6),
    Broken("POL-09", "names of ports are unknown", judged(_names_forgotten), family=V6),
    Broken("POL-09", "protocols are mixed up", ignored(to_port(8082)), family=V6),
    Broken("POL-10", "a new pod resolves nobody", shut(fresh)),
    Broken("POL-10", "a new pod is not isolated", ignored(fresh)),
    Broken("POL-11", "the kubelet is shut out", field(kubelet_reaches=False)),
    Broken(
        "POL-11",
        "a new pod is not isolated",
        ignored(lambda p: ("ipv6k8s/pod", "pol-11-main") in p.target.labels),
    ),
    Broken("POL-12", "the Service is open", ignored(lambda p: p.protocol == "UDP"), family=V6),
    Broken("POL-13", "anything is accepted", admission(_anything_goes)),
    Broken("POL-13", "nothing is accepted", admission(_nothing_goes)),
    Broken("POL-13", "the hole is dropped by admission", admission(_hole_dropped)),
    Broken(
        "POL-14",
        "opens TCP as well",
        ignored(lambda p: p.protocol == "TCP" and named("target", "server-a")(p)),
        family=V6,
    ),
    Broken("POL-14", "SCTP is not judged", ignored(over("SCTP")), family=V6),
    Broken("POL-16", "a mapped address is open", _mapped_open, DUAL),
]
