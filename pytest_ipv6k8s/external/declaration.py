"""``ipv6k8s.yaml``: what a cluster is meant to be, and the targets outside it."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ipv6k8s import data
from pytest_ipv6k8s.addresses import Family, Stack, nat64_prefix_problem
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.external.model import ExternalNetwork, Role
from pytest_ipv6k8s.kube.inventory import Inventory

_EXTERNAL = ("egress", "nat64", "dns64", "zone", "clat", "proxy", "registry", "targets")

_ENFORCED = {"enforced": True, "none": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What an operator declares; ``external`` is None when no target is described.

    ``network_policy`` says whether NetworkPolicy is enforced; None leaves it to the inventory.
    """

    stack: Stack | None
    external: ExternalNetwork | None
    network_policy: bool | None = None

    def over(self, facts: Inventory) -> Inventory:
        """Return the facts of a cluster, and where they are declared to be others, those."""
        if self.network_policy is None:
            return facts
        engine = facts.policy_engine or "declared"
        return dataclasses.replace(facts, policy_engine=engine if self.network_policy else "")


def read(path: Path) -> Declaration:
    """Read a declaration.

    Raises:
        ConfigError: it cannot be read, or a value is no good; names the file and the key.
    """
    document = _document(path)
    problem = _schema_problem(document) or next(_problems(document), "")
    if problem:
        raise ConfigError(
            f"declaration {path}: {problem}", remedy="compare with what `ipv6k8s init` writes"
        )
    external = {key: document[key] for key in _EXTERNAL if key in document}
    return Declaration(
        stack=Stack(document["stack"]) if "stack" in document else None,
        external=ExternalNetwork.from_plain({"source": "declared", **external})
        if external
        else None,
        network_policy=_ENFORCED.get(document.get("networkPolicy", "")),
    )


def with_targets(declared: Declaration, given: Sequence[tuple[str, str, int]]) -> Declaration:
    """Return a declaration with further targets, each a role, an address and a TCP port.

    Raises:
        ConfigError: a target is no good, or overlaps with one that is declared.
    """
    if not given:
        return declared
    plain = (declared.external or ExternalNetwork(source="declared")).plain()
    problem = _role_problem(given)
    if not problem:
        plain["targets"] = [*plain["targets"], *_grouped(given)]
        problem = next(_target_problems(plain["targets"]), "")
    if problem:
        raise ConfigError(f"--ipv6k8s-target: {problem}", remedy="see --ipv6k8s-target in --help")
    return dataclasses.replace(declared, external=ExternalNetwork.from_plain(plain))


def _role_problem(given: Sequence[tuple[str, str, int]]) -> str:
    known = [role.value for role in Role]
    for role, _, _ in given:
        if role not in known:
            return f"there is no role {role!r}, only {', '.join(known)}"
        if len({port for other, _, port in given if other == role}) > 1:
            return f"the addresses of {role} have different ports"
    return ""


def _grouped(given: Sequence[tuple[str, str, int]]) -> list[dict[str, Any]]:
    """Return one target for each role, as in a document."""
    found: dict[str, dict[str, Any]] = {}
    for role, address, port in given:
        target = found.setdefault(role, {"role": role, "addresses": [], "tcp": port})
        target["addresses"].append(address)
    return list(found.values())


def draft(stack: Stack, *, about: str, policy_engine: str = "") -> str:
    """Return a declaration to be completed: what is known, and the rest as comments."""
    engine = f"{policy_engine} does" if policy_engine else "nothing here is known to"
    return data.text("declaration.yaml").format(stack=stack.value, about=about, policy=engine)


def text(stack: Stack, network: ExternalNetwork) -> str:
    """Return a declaration of these targets, as YAML."""
    import yaml

    plain = network.plain()
    document: dict[str, Any] = {
        "apiVersion": "ipv6k8s/v1alpha1",
        "kind": "ClusterDeclaration",
        "stack": stack.value,
        **{key: _without_blanks(plain[key]) for key in _EXTERNAL if plain[key]},
    }
    return yaml.safe_dump(document, sort_keys=False)


def _without_blanks(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_blanks(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_blanks(item) for key, item in value.items() if item not in (None, "")}
    return value


def _document(path: Path) -> dict[str, Any]:
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(
            f"declaration {path} cannot be read: {reason}", remedy="check --ipv6k8s-declaration"
        ) from None
    except yaml.YAMLError:
        raise ConfigError(f"declaration {path} is not YAML", remedy="check the file") from None
    if not isinstance(document, dict):
        raise ConfigError(f"declaration {path} is no declaration", remedy="check the file")
    return document


def _schema_problem(document: dict[str, Any]) -> str:
    import jsonschema

    schema = json.loads(data.text("declaration.schema.json"))
    error = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(schema).iter_errors(document)
    )
    if error is None:
        return ""
    where = error.json_path.removeprefix("$").lstrip(".")
    return f"{where}: {error.message}" if where else str(error.message)


def _problems(document: dict[str, Any]) -> Iterator[str]:
    """Yield what a schema cannot say."""
    nat64 = document.get("nat64") or {}
    for number, prefix in enumerate(nat64.get("prefixes", ())):
        problem = nat64_prefix_problem(prefix)
        if problem:
            yield f"nat64.prefixes[{number}]: {problem}"
    for number, pool in enumerate(nat64.get("pool", ())):
        if not _is_cidr(pool):
            yield f"nat64.pool[{number}]: {pool!r} is no IPv4 CIDR"
    yield from _target_problems(document.get("targets") or [])
    if document.get("dns64") and not nat64:
        yield "dns64: there is no nat64 with a prefix to synthesise with"


def _target_problems(targets: list[dict[str, Any]]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for number, target in enumerate(targets):
        for address in target["addresses"]:
            try:
                ipaddress.ip_address(address)
            except ValueError:
                yield f"targets[{number}].addresses: {address!r} is no IP address"
                return
            if address in seen:
                yield f"targets[{number}].addresses: {address} is {seen[address]}'s already"
            seen[address] = target["role"]
        families = [Family.of(address) for address in target["addresses"]]
        if len(set(families)) < len(families):
            yield f"targets[{number}].addresses: two of one family"
        if target["role"] == Role.DUAL.value and len(families) < 2:
            yield f"targets[{number}].addresses: a dual target needs one of each family"
        servers = any(target.get(kind) for kind in ("tcp", "udp", "http"))
        if target["role"] not in (Role.BLACK_HOLE.value, Role.REJECTER.value) and not servers:
            yield f"targets[{number}]: it has no port: give tcp, udp or http"
    roles = [target["role"] for target in targets]
    for role in sorted({role for role in roles if roles.count(role) > 1}):
        yield f"targets: role {role} is given twice"


def _is_cidr(text: str) -> bool:
    try:
        return ipaddress.ip_network(text, strict=False).version == 4
    except ValueError:
        return False
