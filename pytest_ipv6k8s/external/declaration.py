"""``ipv6k8s.yaml``: what a cluster is meant to be, and its external targets.

The keys of the file are a contract with users. They meet the fields of the model in this module
only, each by name, so a field can be renamed and no file breaks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ipv6k8s import data
from pytest_ipv6k8s.addresses import Egress, Stack
from pytest_ipv6k8s.agent.ports import HTTP_PORT, TCP_PORT, UDP_PORT
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.external import rules
from pytest_ipv6k8s.external.mistakes import Place, lines_of, mistakes, name_of, place_of, twice
from pytest_ipv6k8s.external.model import (
    INTERNET,
    ExternalNetwork,
    Nat64,
    Role,
    Target,
    WellKnownPrefix,
)
from pytest_ipv6k8s.files import read_document
from pytest_ipv6k8s.kube.inventory import Inventory
from pytest_ipv6k8s.masking import hold_named

API_VERSION = "ipv6k8s.io/v1alpha1"
KIND = "ClusterDeclaration"

_OLD_API_VERSION = "ipv6k8s/v1alpha1"
_SNAKE_CASE = {
    "network_policy": "networkPolicy",
    "well_known_prefix": "wellKnownPrefix",
    "local_use": "localUse",
    "private_host": "privateHost",
}
_COMPARE = "compare with what `ipv6k8s init` writes"

_EXTERNAL_KEYS = ("egress", "nat64", "dns64", "zone", "clat", "proxy", "registry", "targets")
_NONE = "none"
_ENFORCED = {"enforced": True, "none": False}
_USED = {"used": True, "unused": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What an operator declares; ``external`` is None when no target is described.

    ``network_policy`` says whether NetworkPolicy is enforced, ``pod_cidrs`` whether pods get their
    addresses from their node's podCIDRs; None leaves either to the inventory. ``policy_seconds``
    is how long a policy may take to be enforced; 0 leaves it to us.
    """

    stack: Stack | None
    external: ExternalNetwork | None
    network_policy: bool | None = None
    pod_cidrs: bool | None = None
    policy_seconds: int = 0

    def over(self, facts: Inventory) -> Inventory:
        """Return the facts of a cluster, and where they are declared to be others, those."""
        if self.pod_cidrs is not None:
            facts = dataclasses.replace(facts, pod_cidrs_used=self.pod_cidrs)
        if self.policy_seconds:
            facts = dataclasses.replace(facts, policy_seconds=self.policy_seconds)
        if self.network_policy is None:
            return facts
        engine = (facts.policy_engine or "declared") if self.network_policy else ""
        return dataclasses.replace(
            facts, policy_engine=engine, policy_declared_none=not self.network_policy
        )


def read(path: Path) -> Declaration:
    """Read a declaration.

    Raises:
        ConfigError: it cannot be read, is of an older form, or a value is no good; names the file
            and the key.
    """
    document = read_document(path, what="declaration", source="the path that was given")
    _refuse_older_form(path, document)
    hold_named(document)
    wrong = [*_header_problems(document), *_password_problems(document), *twice(path)]
    told = {place for place, _ in wrong}
    wrong += [(place, text) for place, text in mistakes(document) if place not in told]
    external = None
    if not wrong and any(key in document for key in _EXTERNAL_KEYS):
        external = _network_from(document)
        wrong = [_parted(problem) for problem in rules.problems(external)]
    if wrong:
        raise _refusal(path, wrong)
    return Declaration(
        stack=Stack(document["stack"]) if "stack" in document else None,
        external=external,
        network_policy=_ENFORCED.get(document.get("networkPolicy", "")),
        pod_cidrs=_USED.get(document.get("podCIDRs", "")),
        policy_seconds=document.get("networkPolicySeconds", 0),
    )


def with_targets(declared: Declaration, given: Sequence[tuple[str, str, int]]) -> Declaration:
    """Return a declaration with further targets, each a role, an address and a TCP port.

    ``INTERNET`` in place of a role brings public hosts, in the roles that nobody else has.

    Raises:
        ConfigError: a target is no good, or overlaps with one that is declared.
    """
    if not given:
        return declared
    network = declared.external or ExternalNetwork(source="declared")
    own = [target for target in given if target[0] != INTERNET]
    problem = _role_problem(own)
    if not problem:
        targets = (*network.targets, *_by_role(own))
        if len(own) < len(given):
            taken = {target.role for target in targets}
            targets += tuple(target for target in _internet() if target.role not in taken)
        network = dataclasses.replace(network, targets=targets)
        problem = next(rules.target_problems(network.targets), "")
    if problem:
        raise ConfigError(f"--ipv6k8s-target: {problem}", remedy="see --ipv6k8s-target in --help")
    return dataclasses.replace(declared, external=network)


def _internet() -> list[Target]:
    import yaml

    return [_target_from(keys) for keys in yaml.safe_load(data.text("internet.yaml"))["targets"]]


def with_options(
    declared: Declaration, *, egress: Egress | None, enforces_policy: bool
) -> Declaration:
    """Return a declaration with what options say of the cluster.

    Raises:
        ConfigError: the declaration says something else.
    """
    if enforces_policy:
        if declared.network_policy is False:
            raise _contradiction("enforces-policy", "networkPolicy: none")
        declared = dataclasses.replace(declared, network_policy=True)
    network = declared.external
    if egress is None or network is None:
        return declared
    if network.egress not in (None, egress):
        raise _contradiction(f"egress {egress.value}", f"egress: {network.egress.value}")
    network = dataclasses.replace(network, egress=egress)
    return dataclasses.replace(declared, external=network)


def _contradiction(option: str, key: str) -> ConfigError:
    return ConfigError(
        f"--ipv6k8s-{option}, and the declaration has `{key}`", remedy="leave one of them out"
    )


def draft(stack: Stack, *, about: str, policy_engine: str = "") -> str:
    """Return a declaration to be completed: what is known, and the rest switched off.

    Args:
        stack: the families of the cluster.
        about: what is known of the cluster, on one line.
        policy_engine: who enforces NetworkPolicy; empty when nobody is known to.
    """
    engine = f"{policy_engine} does" if policy_engine else "nothing here is known to"
    return data.text("declaration.yaml").format(stack=stack.value, about=about, policy=engine)


def text(stack: Stack, network: ExternalNetwork) -> str:
    """Return a declaration of these targets, as YAML."""
    import yaml

    header = {"apiVersion": API_VERSION, "kind": KIND, "stack": stack.value}
    return yaml.safe_dump({**header, **_keys_of_network(network)}, sort_keys=False)


def _refuse_older_form(path: Path, document: Mapping[str, Any]) -> None:
    """Raise a ConfigError that names everything that has to be changed."""
    changes = []
    if document.get("apiVersion") == _OLD_API_VERSION:
        changes.append(f"apiVersion to {API_VERSION}")
    nat64 = document.get("nat64")
    keys = {*document, *(nat64 if isinstance(nat64, dict) else ())}
    changes += [f"{old} to {new}" for old, new in _SNAKE_CASE.items() if old in keys]
    if changes:
        raise ConfigError(
            f"declaration {path} is of an older form", remedy=f"change {', '.join(changes)}"
        )


def _refusal(path: Path, wrong: Sequence[tuple[Place, str]]) -> ConfigError:
    """Return the error that says all that is wrong, each with its line."""
    line_of = lines_of(path)
    lines = sorted(
        (line_of(place), f"{name_of(place)}: {text}" if place else text) for place, text in wrong
    )
    said = [f"{text} (line {line})" for line, text in lines]
    if len(said) == 1:
        return ConfigError(f"declaration {path}: {said[0]}", remedy=_COMPARE)
    listed = "".join(f"\n  {line}" for line in said)
    return ConfigError(f"declaration {path} has {len(said)} errors:{listed}", remedy=_COMPARE)


def _parted(problem: str) -> tuple[Place, str]:
    """Return place and sentence of a problem that begins with its key."""
    name, _, sentence = problem.partition(": ")
    return place_of(name), sentence


def _header_problems(document: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    kind, version = document.get("kind"), document.get("apiVersion")
    missing = [key for key in ("apiVersion", "kind") if document.get(key) is None]
    if missing:
        lines = f"`apiVersion: {API_VERSION}` and `kind: {KIND}`"
        yield (), f"it does not say its {' and '.join(missing)}: it has to begin with {lines}"
    if kind not in (None, KIND):
        yield ("kind",), f"it is {kind!r}, and a declaration is a {KIND}"
    elif version not in (None, API_VERSION):
        yield ("apiVersion",), f"it is {version!r}, and this ipv6k8s reads {API_VERSION}"


def _password_problems(document: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Refuse what every report would publish; the value itself is not told."""
    for key in ("proxy", "registry"):
        if "@" in str(document.get(key, "")):
            yield (key,), "it has a user or a password, and reports would publish it"


def _role_problem(given: Sequence[tuple[str, str, int]]) -> str:
    known = [role.value for role in Role]
    for role, _, _ in given:
        if role not in known:
            return f"there is no role {role!r}, only {', '.join(known)}"
        if len({port for other, _, port in given if other == role}) > 1:
            return f"the addresses of {role} have different ports"
    return ""


def _by_role(given: Sequence[tuple[str, str, int]]) -> list[Target]:
    """Return one target for each role, with all its addresses."""
    found: dict[str, Target] = {}
    for role, address, port in given:
        new = Target(role=Role(role), addresses=(), tcp=port) if port else _agent(Role(role))
        target = found.get(role, new)
        found[role] = dataclasses.replace(target, addresses=(*target.addresses, address))
    return list(found.values())


def _agent(role: Role) -> Target:
    return Target(
        role=role, addresses=(), tcp=TCP_PORT, udp=UDP_PORT, http=HTTP_PORT, identifies=True
    )


def _network_from(keys: Mapping[str, Any]) -> ExternalNetwork:
    return ExternalNetwork(
        source="declared",
        egress=Egress(keys["egress"]) if "egress" in keys else None,
        nat64=None if keys.get("nat64", _NONE) == _NONE else _nat64_from(keys["nat64"]),
        no_nat64=keys.get("nat64") == _NONE,
        dns64=keys.get("dns64", False),
        zone=keys.get("zone", ""),
        clat=keys.get("clat", False),
        proxy=keys.get("proxy", ""),
        registry=keys.get("registry", ""),
        targets=tuple(_target_from(target) for target in keys.get("targets", ())),
    )


def _keys_of_network(network: ExternalNetwork) -> dict[str, Any]:
    return _without_blanks(
        egress=network.egress and network.egress.value,
        nat64=_NONE if network.no_nat64 else network.nat64 and _keys_of_nat64(network.nat64),
        dns64=network.dns64,
        zone=network.zone,
        clat=network.clat,
        proxy=network.proxy,
        registry=network.registry,
        targets=[_keys_of_target(target) for target in network.targets],
    )


def _nat64_from(keys: Mapping[str, Any]) -> Nat64:
    mode = keys.get("wellKnownPrefix")
    return Nat64(
        prefixes=tuple(keys["prefixes"]),
        pool=tuple(keys.get("pool", ())),
        well_known_prefix=WellKnownPrefix(mode) if mode else None,
        local_use=keys.get("localUse", False),
        private_host=keys.get("privateHost", ""),
    )


def _keys_of_nat64(nat64: Nat64) -> dict[str, Any]:
    return _without_blanks(
        prefixes=nat64.prefixes,
        pool=nat64.pool,
        wellKnownPrefix=nat64.well_known_prefix and nat64.well_known_prefix.value,
        localUse=nat64.local_use,
        privateHost=nat64.private_host,
    )


def _target_from(keys: Mapping[str, Any]) -> Target:
    return Target(
        role=Role(keys["role"]),
        addresses=tuple(keys["addresses"]),
        name=keys.get("name", ""),
        tcp=keys.get("tcp", 0),
        udp=keys.get("udp", 0),
        http=keys.get("http", 0),
        identifies=keys.get("identifies", False),
        ping=keys.get("ping", False),
        ask=tuple(keys.get("ask", ())),
    )


def _keys_of_target(target: Target) -> dict[str, Any]:
    return _without_blanks(
        role=target.role.value,
        addresses=target.addresses,
        name=target.name,
        tcp=target.tcp,
        udp=target.udp,
        http=target.http,
        identifies=target.identifies,
        ping=target.ping,
        ask=target.ask,
    )


def _without_blanks(**keys: Any) -> dict[str, Any]:
    """Return the keys with a value; the others are what is assumed without them."""
    return {key: value for key, value in keys.items() if value}
