"""What a check declares, and what is refused to be one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from pytest_ipv6k8s import checks
from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.causes import Cause
from pytest_ipv6k8s.checks import Check, Level, check, check_of
from pytest_ipv6k8s.features import Feature


def _declare(id: str = "SVC-01", **more: Any) -> Callable[[Any], Any]:
    usual = {
        "references": ["RFC 8200 section 3"],
        "causes": ["bad luck"],
        "look": "kubectl get nodes",
    }
    return check(id, **{**usual, **more})


def _declared(function: object) -> Check:
    found = check_of(function)
    assert found is not None
    return found


def test_the_first_line_is_the_requirement_and_the_rest_explains() -> None:
    @_declare()
    def test_it() -> None:
        """Every pod answers.

        Because it does,
            in its own way.
        """

    declared = _declared(test_it)
    assert declared.requirement == "Every pod answers"
    assert declared.explanation == "Because it does,\n    in its own way."


def test_a_function_stays_what_it_is() -> None:
    def test_it() -> str:
        """It holds."""
        return "done"

    assert _declare()(test_it) is test_it
    assert test_it() == "done"


def test_whatever_is_declared_is_kept() -> None:
    @_declare(
        "DNS-42",
        level=Level.EXTENDED,
        stacks=checks.DUAL_STACK,
        families=Family,
        features=[Feature.TWO_NODES],
        causes=iter(["one", "two"]),
    )
    def test_it() -> None:
        """It holds."""

    assert _declared(test_it) == Check(
        id="DNS-42",
        requirement="It holds",
        explanation="",
        level=Level.EXTENDED,
        stacks=frozenset({Stack.DUAL, Stack.DUAL_IPV6}),
        families=(Family.V4, Family.V6),
        features=(Feature.TWO_NODES,),
        references=("RFC 8200 section 3",),
        causes=(Cause("one"), Cause("two")),
        look="kubectl get nodes",
    )
    assert _declared(test_it).area == "DNS"


def test_a_check_is_core_and_for_every_stack_unless_it_says_otherwise() -> None:
    @_declare()
    def test_it() -> None:
        """It holds."""

    declared = _declared(test_it)
    assert declared.level is Level.CORE
    assert declared.stacks == frozenset(Stack)
    assert (declared.families, declared.features) == ((), ())


BROKEN_RULES: dict[str, tuple[dict[str, Any], str]] = {
    **{
        f"id {id!r}": ({"id": id}, "the id is not of the form AREA-NN")
        for id in ("", "SVC", "SVC-1", "SVC-001", "svc-01", "SVC-01 ", "SVC_01")
    },
    "no docstring": ({"doc": None}, "it has no docstring"),
    "empty docstring": ({"doc": ""}, "it has no docstring"),
    "no full stop": ({"doc": "It holds"}, "not one sentence"),
    "two sentences": ({"doc": "It holds. It does."}, "not one sentence"),
    "small letter": ({"doc": "it holds."}, "does not begin with a capital letter"),
    "too long": ({"doc": f"I{'t' * 110}."}, "longer than 110 characters"),
    "no blank line": ({"doc": "It holds.\nBecause."}, "a blank line is missing"),
    "no reference": ({"references": []}, "no reference names a place"),
    "reference without a place": ({"references": ["RFC 8200"]}, "no reference names a place"),
    "hearsay": ({"references": ["RFC 8200 section 3", "a blog"]}, "'a blog' is no RFC, KEP or"),
    "no cause": ({"causes": []}, "causes are missing"),
    "empty cause": ({"causes": ["bad luck", " "]}, "causes are missing"),
    "cause there twice": ({"causes": ["bad luck", "bad luck"]}, "there twice"),
    "nothing to look with": ({"look": ""}, "begin with one of bridge, "),
    "look is a sentence": ({"look": "Look at the pods"}, "begin with one of bridge, "),
    "no stack": ({"stacks": frozenset()}, "it has no stack"),
    "family without a stack": (
        {"stacks": checks.ONLY_IPV6, "families": [Family.V4]},
        "a family that none of its stacks has",
    ),
}


@pytest.mark.parametrize("rule", BROKEN_RULES)
def test_a_declaration_that_breaks_a_rule_is_refused(rule: str) -> None:
    wrong, message = BROKEN_RULES[rule]
    arguments = {"id": "SVC-01", "doc": "It holds.", **wrong}

    def test_it() -> None: ...

    test_it.__doc__ = arguments.pop("doc")
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        _declare(**arguments)(test_it)
    assert str(caught.value).startswith(f"check {arguments['id']}: ")


@pytest.mark.parametrize("length", [109, 110])
def test_a_requirement_may_be_as_long_as_a_line(length: int) -> None:
    def test_it() -> None: ...

    test_it.__doc__ = f"{'I' * length}."
    assert len(_declared(_declare()(test_it)).requirement) == length


@pytest.mark.parametrize("thing", [len, 5, None, "x", Check])
def test_other_things_are_no_checks(thing: object) -> None:
    assert check_of(thing) is None


def test_what_pretends_to_be_a_check_is_none() -> None:
    class Anything:
        def __getattr__(self, name: str) -> str:
            return name

    assert check_of(Anything()) is None


@pytest.mark.parametrize(
    ("name", "stacks"),
    [
        ("ALL_STACKS", {"ipv6", "ipv4", "dual", "dual-ipv6"}),
        ("WITH_IPV6", {"ipv6", "dual", "dual-ipv6"}),
        ("WITH_IPV4", {"ipv4", "dual", "dual-ipv6"}),
        ("DUAL_STACK", {"dual", "dual-ipv6"}),
        ("SINGLE_STACK", {"ipv4", "ipv6"}),
        ("ONLY_IPV6", {"ipv6"}),
    ],
)
def test_the_named_sets_of_stacks(name: str, stacks: set[str]) -> None:
    assert {stack.value for stack in getattr(checks, name)} == stacks
