"""How checks are declared: words, sources, ids, and the worlds that break them."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.checks import FamiliesOf, check_of
from tests.checks.breaking import Broken
from tests.checks.test_broken_worlds import ALL
from tests.checks.test_healthy_world import CASES
from tests.house.tree import SUITE, tree

FUNCTIONS = catalogue.functions()
DECLARED = catalogue.checks()


def _ids_in_the_sources() -> list[str]:
    found = []
    for file in sorted(SUITE.glob("test_*.py")):
        for node in tree(file).body:
            if isinstance(node, ast.FunctionDef):
                found += [
                    str(ast.literal_eval(call.args[0]))
                    for call in node.decorator_list
                    if isinstance(call, ast.Call)
                ]
    return found


def test_ids_are_unique_and_all_are_in_the_catalogue() -> None:
    counts = Counter(_ids_in_the_sources())
    assert [id for id, count in counts.items() if count > 1] == []
    assert set(counts) == set(DECLARED)


def test_a_function_is_one_check_and_has_a_name_of_its_own() -> None:
    names = Counter(function.__name__ for function in FUNCTIONS.values())
    assert [name for name, count in names.items() if count > 1] == []
    for function in FUNCTIONS.values():
        assert check_of(function) is not None
        assert function.__name__.startswith("test_")


def test_every_check_has_a_healthy_world() -> None:
    assert {id for id, _, _ in CASES} == set(DECLARED)


def _runs(broken: Broken) -> bool:
    """Tell whether the check of a broken world is run there, for the family that it names."""
    declared = DECLARED[broken.id]
    if broken.stack not in declared.stacks:
        return False
    if not declared.families:
        return broken.family is None
    return broken.family in declared.families and broken.family in broken.stack.families


def test_a_check_that_asks_a_service_in_a_family_is_about_the_families_of_services() -> None:
    families_of = {DECLARED[id].families_of for id, calls in _calls() if "cluster_ip" in calls}
    assert families_of == {FamiliesOf.SERVICES}


def _calls() -> Iterator[tuple[str, set[str]]]:
    """Yield the id of every check, with the names of the methods that its body calls."""
    for file in sorted(SUITE.glob("test_*.py")):
        for node in tree(file).body:
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                (declared,) = node.decorator_list
                assert isinstance(declared, ast.Call)
                inside = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
                yield str(ast.literal_eval(declared.args[0])), inside


def test_a_broken_world_is_one_in_which_the_check_runs() -> None:
    assert [f"{broken.id} {broken.name}" for broken in ALL if not _runs(broken)] == []


def test_broken_worlds_have_names_of_their_own() -> None:
    counts = Counter((broken.id, broken.name, broken.stack, broken.family) for broken in ALL)
    assert [row for row, count in counts.items() if count > 1] == []
