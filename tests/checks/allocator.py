"""A reference of the API server's dual-stack rules for new Services (KEP-563), for fakes."""

from __future__ import annotations

import copy
import ipaddress
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.kube.client import Cause, Outcome

SINGLE, PREFER, REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
FIELDS = ("ipFamilyPolicy", "ipFamilies", "clusterIPs")


class Refused(Exception):
    """A Service that is not valid."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.cause = Cause(field=field, reason="FieldValueInvalid", message=message)


class Allocator:
    """Admits Services as an API server with these families would."""

    def __init__(self, stack: Stack, cidrs: Iterable[str]) -> None:
        self._stack = stack
        self.networks = {Family.of(cidr): ipaddress.ip_network(cidr) for cidr in cidrs}
        self._next = itertools.count(0x100)

    def admit(self, body: Mapping[str, Any]) -> Outcome:
        """Return what becomes of a new Service."""
        made = copy.deepcopy(dict(body))
        spec = made["spec"]
        try:
            self._admit(spec)
        except Refused as error:
            message = f"Service is invalid: {error.cause.field}: {error.cause.message}"
            return Outcome(code=422, object={}, message=message, causes=(error.cause,))
        return Outcome(code=201, object=made)

    def _admit(self, spec: dict[str, Any]) -> None:
        if spec.get("type") == "ExternalName":
            for field in FIELDS:
                if spec.get(field):
                    raise Refused(f"spec.{field}", "may not be set for ExternalName services")
            return
        headless = spec.get("clusterIP") == "None"
        selectorless = not spec.get("selector")
        if spec.get("clusterIP") and "clusterIPs" not in spec:
            spec["clusterIPs"] = [spec["clusterIP"]]
        spec.setdefault("ipFamilyPolicy", REQUIRE if headless and selectorless else SINGLE)
        _validate(spec)
        if headless and selectorless:
            self._default_selectorless(spec)
            return
        self._settle_families(spec)
        if headless:
            spec["clusterIPs"] = ["None"]
        else:
            self._allocate(spec)
        if spec.get("type") == "NodePort":
            spec["ports"] = [
                {**port, "nodePort": 30000 + port["port"]} for port in spec.get("ports", [])
            ]

    def _default_selectorless(self, spec: dict[str, Any]) -> None:
        first = self._stack.primary
        both = [first.value, first.other.value]
        spec.setdefault("ipFamilies", both[:1] if spec["ipFamilyPolicy"] == SINGLE else both)

    def _settle_families(self, spec: dict[str, Any]) -> None:
        addresses = [ip for ip in spec.get("clusterIPs", []) if ip != "None"]
        if "ipFamilies" not in spec and addresses:
            spec["ipFamilies"] = [Family.of(ip).value for ip in addresses]
        if spec["ipFamilyPolicy"] == REQUIRE and not self._stack.is_dual:
            message = "this cluster is not configured for dual-stack services"
            raise Refused("spec.ipFamilyPolicy", message)
        for index, name in enumerate(spec.get("ipFamilies", [])):
            if Family(name) not in self._stack.families:
                raise Refused(f"spec.ipFamilies[{index}]", "not configured on this cluster")
        spec.setdefault("ipFamilies", [self._stack.primary.value])
        grows = spec["ipFamilyPolicy"] != SINGLE and self._stack.is_dual
        if grows and len(spec["ipFamilies"]) == 1:
            spec["ipFamilies"].append(Family(spec["ipFamilies"][0]).other.value)

    def _allocate(self, spec: dict[str, Any]) -> None:
        given = list(spec.get("clusterIPs", []))
        for name in spec["ipFamilies"][len(given) :]:
            network = self.networks[Family(name)]
            given.append(str(network.network_address + next(self._next)))
        spec["clusterIPs"], spec["clusterIP"] = given, given[0]


def _validate(spec: dict[str, Any]) -> None:
    _validate_agreement(spec)
    _validate_enums(spec)
    _validate_addresses(spec)
    families, addresses = spec.get("ipFamilies", []), spec.get("clusterIPs", [])
    if spec["ipFamilyPolicy"] == SINGLE:
        wanted = f"must be '{REQUIRE}' or '{PREFER}' when multiple"
        if len(addresses) > 1:
            raise Refused("spec.ipFamilyPolicy", f"{wanted} cluster IPs are specified")
        if len(families) > 1:
            raise Refused("spec.ipFamilyPolicy", f"{wanted} IP families are specified")
    for index, (name, ip) in enumerate(zip(families, addresses, strict=False)):
        if ip != "None" and Family.of(ip).value != name:
            message = f"expected an {name} value as indicated by `ipFamilies[{index}]`"
            raise Refused(f"spec.clusterIPs[{index}]", message)


def _validate_agreement(spec: dict[str, Any]) -> None:
    if spec.get("clusterIPs") and not spec.get("clusterIP"):
        raise Refused("spec.clusterIPs", "must be empty when `clusterIP` is not specified")
    if spec.get("clusterIPs") and spec["clusterIPs"][0] != spec["clusterIP"]:
        raise Refused("spec.clusterIPs", "first value must match `clusterIP`")


def _validate_enums(spec: dict[str, Any]) -> None:
    if spec["ipFamilyPolicy"] not in (SINGLE, PREFER, REQUIRE):
        message = f'Unsupported value: supported values: "{PREFER}", "{REQUIRE}", "{SINGLE}"'
        raise Refused("spec.ipFamilyPolicy", message)
    names = spec.get("ipFamilies", [])
    for index, name in enumerate(names):
        if name not in ("IPv4", "IPv6"):
            message = 'Unsupported value: supported values: "IPv4", "IPv6"'
            raise Refused(f"spec.ipFamilies[{index}]", message)
        if name in names[:index]:
            raise Refused(f"spec.ipFamilies[{index}]", f'Duplicate value: "{name}"')


def _validate_addresses(spec: dict[str, Any]) -> None:
    addresses = spec.get("clusterIPs", [])
    if "None" in addresses:
        if len(addresses) > 1:
            raise Refused("spec.clusterIPs", "'None' must be the first and only value")
        if spec.get("type") in ("NodePort", "LoadBalancer"):
            message = f"may not be set to 'None' for {spec['type']} services"
            raise Refused("spec.clusterIPs[0]", message)
        return
    families = []
    for index, ip in enumerate(addresses):
        try:
            families.append(Family.of(ip))
        except ValueError:
            raise Refused(f"spec.clusterIPs[{index}]", "must be a valid IP address") from None
    if len(addresses) > 2:
        raise Refused("spec.clusterIPs", "may only hold up to 2 values")
    if len(set(families)) < len(families):
        message = "may specify no more than one IP for each IP family"
        raise Refused("spec.clusterIPs", message)
