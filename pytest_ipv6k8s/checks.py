"""What a check declares, and the decorator with which it does."""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.causes import Cause
from pytest_ipv6k8s.features import Feature

ALL_STACKS = frozenset(Stack)
WITH_IPV6 = frozenset({Stack.IPV6, Stack.DUAL, Stack.DUAL_IPV6})
DUAL_STACK = frozenset({Stack.DUAL, Stack.DUAL_IPV6})
SINGLE_STACK = frozenset({Stack.IPV4, Stack.IPV6})
ONLY_IPV6 = frozenset({Stack.IPV6})
WITH_IPV4 = ALL_STACKS - ONLY_IPV6

REFERENCE = re.compile(
    r"(RFC \d+( sections? [\d.]+(( and |, | to )[\d.]+)*)?"
    r"|KEP-\d+(: \S.*)?"
    r"|[A-Z][\w /.-]* (docs|documentation|specification): \S.*"
    r"|[\w-]+/[\w-]+: \S.*"
    r"|ipv6k8s\.yaml: \S.*"
    r"|Kubernetes DNS-Based Service Discovery section [\d.]+)"
)
"""What a reference looks like: RFC, KEP, documentation, a repository's file, a declaration."""

COMMANDS = frozenset(
    {
        *("bridge", "calicoctl", "cat", "cilium", "conntrack", "crictl", "curl", "dig", "docker"),
        *("env", "ethtool", "getent", "grep", "helm", "ip", "ip6tables", "iptables", "ipv6k8s"),
        *("journalctl", "kubectl", "ls", "nft", "nslookup", "nstat", "openssl", "ping", "ss"),
        *("sysctl", "tcpdump", "tracepath", "traceroute", "wget"),
    }
)
"""The programs with which a command to look further may begin."""

LONGEST_REQUIREMENT = 110
LOOK_IMAGE = "busybox"
"""The image of pods in which the commands to look further run."""

_ID = re.compile(r"[A-Z0-9]+-\d\d")
_PLACED = re.compile(r" sections? [\d.]+|: \S")
_ATTRIBUTE = "__ipv6k8s_check__"
_Function = TypeVar("_Function", bound=Callable[..., object])


class Area(enum.Enum):
    """The areas of the built-in suite: the first part of an id, and what it is about.

    They stand in the order in which a person looks for a fault.
    """

    ADDR = "Addresses of pods and nodes, and the paths between pods"
    API = "The API server's dual-stack semantics (KEP-563)"
    SVC = "Services"
    DNS = "The cluster's DNS"
    NODE = "Nodes and the control plane"
    LB = "Ports of nodes, and load balancers"
    EGR = "Ways out of the cluster, and what packets look like there"
    MTU = "Path MTU, fragments and ICMPv6"
    N64 = "NAT64 and DNS64"
    POL = "NetworkPolicy"

    @classmethod
    def place(cls, name: str) -> int:
        """Return where an area stands; areas of others come last."""
        names = list(cls.__members__)
        return names.index(name) if name in names else len(names)


class FamiliesOf(enum.Enum):
    """Whose families a check is about: pods may have one that Services have not."""

    PODS = "pods"
    SERVICES = "services"


_OF_PODS = {Area.ADDR.name, Area.EGR.name, Area.MTU.name, Area.N64.name, Area.POL.name}


class Level(enum.Enum):
    """How much a check weighs."""

    CORE = "core"
    EXTENDED = "extended"
    INFORMATIONAL = "informational"


class Beside(enum.Enum):
    """Pods beside one probe a node and the peer: made only where a check may ask them."""

    HOSTS = "host-network probes"
    PEERS = "second probes on the other nodes"


_NEED_HOSTS = {Feature.HOST_NETWORK_PROBES, Feature.NODE_PORT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """All facts of a conformance item, in one place.

    Attributes:
        id: ``AREA-NN``; never reused.
        requirement: the first line of the docstring.
        explanation: the rest of the docstring.
        level: core, extended or informational.
        stacks: the stacks on which it applies.
        families: one item for each of these that the cluster has; empty: one item in all.
        families_of: whose stack and families these are; where it is not said, the area tells.
        features: preconditions; one that is not met skips the check.
        references: who says so: RFC, KEP or documentation, with the section.
        causes: why clusters usually fail it, the likeliest first where nothing else is known.
        look: a command that looks further.
        matrix: whether its TCP connections between probes are cells of the report's matrix of
            nodes.
        rests_on: ids of checks without which this one cannot pass: when nothing that one of them
            asked was as it should be, this one is not asked.
        rests_partly_on: ids of checks whose fault may also be the fault here: when one of them is
            red in the same places, this one is not judged.
        beside: further pods that it asks where there are some; its features imply them, too.
    """

    id: str
    requirement: str
    explanation: str
    level: Level
    stacks: frozenset[Stack]
    families: tuple[Family, ...]
    features: tuple[Feature, ...]
    references: tuple[str, ...]
    causes: tuple[Cause, ...]
    look: str
    families_of: FamiliesOf = FamiliesOf.SERVICES
    matrix: bool = False
    rests_on: tuple[str, ...] = ()
    rests_partly_on: tuple[str, ...] = ()
    beside: frozenset[Beside] = frozenset()

    def asked(self, family: Family | None) -> frozenset[Family]:
        """Return the families that whoever is asked must have: the item's, or those of all stacks.

        Args:
            family: the item's; None when the check has one item.
        """
        if family is not None:
            return frozenset({family})
        return frozenset.intersection(*(frozenset(stack.families) for stack in self.stacks))

    @property
    def area(self) -> str:
        """The part of the id before the hyphen: an :class:`Area`, or one of other people."""
        return self.id.split("-")[0]


def check(
    id: str,
    *,
    references: Iterable[str],
    causes: Iterable[str | Cause],
    look: str,
    level: Level = Level.CORE,
    stacks: frozenset[Stack] = ALL_STACKS,
    families: Iterable[Family] = (),
    features: Iterable[Feature] = (),
    families_of: FamiliesOf | None = None,
    matrix: bool = False,
    rests_on: Iterable[str] = (),
    rests_partly_on: Iterable[str] = (),
    beside: Iterable[Beside] = (),
) -> Callable[[_Function], _Function]:
    """Declare a function to be a conformance check; see :class:`Check` for the arguments.

    Raises:
        ValueError: a rule is broken; names the id and the rule.
    """
    needed = tuple(features)
    given = Check(
        id=id,
        requirement="",
        explanation="",
        level=level,
        stacks=stacks,
        families=tuple(families),
        features=needed,
        references=tuple(references),
        causes=tuple(c if isinstance(c, Cause) else Cause(c) for c in causes),
        look=look,
        families_of=families_of or _families_of(id),
        matrix=matrix,
        rests_on=tuple(rests_on),
        rests_partly_on=tuple(rests_partly_on),
        beside=frozenset({*beside, *([Beside.HOSTS] if _NEED_HOSTS & {*needed} else [])}),
    )
    return lambda function: _declare(function, given)


def _declare(function: _Function, given: Check) -> _Function:
    """Let a function be what is given, with the words of its docstring."""
    requirement, _, explanation = (inspect.getdoc(function) or "").partition("\n")
    problems = [*_of_docstring(requirement, explanation), *_of_facts(given)]
    if problems:
        raise ValueError(f"check {given.id}: {'; '.join(problems)}")
    first, rest = (text.replace("``", "`") for text in (requirement, explanation))
    declared = replace(given, requirement=first.rstrip("."), explanation=rest.strip())
    setattr(function, _ATTRIBUTE, declared)
    return function


def _families_of(id: str) -> FamiliesOf:
    return FamiliesOf.PODS if id.split("-")[0] in _OF_PODS else FamiliesOf.SERVICES


def _of_docstring(requirement: str, explanation: str) -> Iterator[str]:
    """Yield what is wrong with a docstring: its first line, and what follows that line."""
    if not requirement:
        yield "it has no docstring, whose first line is the requirement"
        return
    if not requirement.endswith(".") or re.search(r"[.!?]\s", requirement):
        yield "the requirement is not one sentence that ends in a full stop"
    if not requirement[0].isupper():
        yield "the requirement does not begin with a capital letter"
    if len(requirement) - 1 > LONGEST_REQUIREMENT:
        yield f"the requirement is longer than {LONGEST_REQUIREMENT} characters"
    if explanation and not explanation.startswith("\n"):
        yield "a blank line is missing after the requirement"


def _of_facts(declared: Check) -> Iterator[str]:
    """Yield what is wrong with the arguments of the decorator."""
    if not _ID.fullmatch(declared.id):
        yield "the id is not of the form AREA-NN"
    for reference in declared.references:
        if not REFERENCE.fullmatch(reference):
            yield f"{reference!r} is no RFC, KEP or documentation"
    if not any(_PLACED.search(reference) for reference in declared.references):
        yield "no reference names a place in a document, such as RFC 8200 section 5"
    causes = [str(cause) for cause in declared.causes]
    if not causes or not all(cause.strip() for cause in causes) or len(set(causes)) < len(causes):
        yield "likely causes are missing, or one is empty or there twice"
    if re.split(r"[\s;]", declared.look)[0] not in COMMANDS:
        yield f"to look further, begin with one of {', '.join(sorted(COMMANDS))}"
    reachable = {family for stack in declared.stacks for family in stack.families}
    if not declared.stacks or not set(declared.families) <= reachable:
        yield "it has no stack, or a family that none of its stacks has"


def check_of(function: object) -> Check | None:
    """Return what a function declares, or None when it is no check."""
    declared = getattr(function, _ATTRIBUTE, None)
    return declared if isinstance(declared, Check) else None
