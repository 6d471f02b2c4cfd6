"""Dataclasses become plain data and come back the same."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.plain import build, key, plain


class Colour(enum.Enum):
    """For tests."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """For tests."""

    leaf_name: str
    internal_ips: tuple[str, ...] = key("internalIPs", default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Has a field of every kind that there is."""

    colour: Colour
    first_leaf: Leaf
    leaves: tuple[Leaf, ...]
    pair: tuple[str, Colour]
    by_colour: Mapping[Colour, int]
    by_name: Mapping[str, Leaf]
    place: Path
    colours: frozenset[Colour]
    anything: Any
    other: Leaf | None = None
    shade: Colour | None = None
    notes: list[str] = field(default_factory=list)


LEAF = Leaf(leaf_name="a", internal_ips=("fd00::1",))
TREE = Tree(
    colour=Colour.RED,
    first_leaf=Leaf(leaf_name="b"),
    leaves=(LEAF, LEAF),
    pair=("x", Colour.BLUE),
    by_colour={Colour.BLUE: 1},
    by_name={"snake_case": LEAF},
    place=Path("/tmp/x"),
    colours=frozenset(Colour),
    anything={"snake_case": [1, None]},
)


@pytest.mark.parametrize("camel", [False, True])
@pytest.mark.parametrize(
    "tree",
    [
        TREE,
        Tree(**{**{n: getattr(TREE, n) for n in Tree.__slots__}, "other": LEAF, "notes": ["n"]}),
    ],
    ids=["defaults", "no defaults"],
)
def test_it_comes_back_the_same(tree: Tree, camel: bool) -> None:
    data = json.loads(json.dumps(plain(tree, camel=camel)))

    assert build(Tree, data, camel=camel) == tree


def test_fields_are_in_camel_case_and_other_keys_stay() -> None:
    data = plain(TREE, camel=True)

    assert data["firstLeaf"] == {"leafName": "b"}
    assert data["leaves"][0] == {"leafName": "a", "internalIPs": ["fd00::1"]}
    assert data["byName"] == {"snake_case": {"leafName": "a", "internalIPs": ["fd00::1"]}}
    assert data["anything"] == {"snake_case": [1, None]}
    assert data["byColour"] == {"blue": 1}
    assert plain(LEAF) == {"leaf_name": "a", "internalIPs": ["fd00::1"]}


def test_what_has_its_default_is_left_out() -> None:
    assert not {"other", "shade", "notes"} & set(plain(TREE))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"surprise": 1}, r"Tree has no surprise"),
        ({"colour": "green"}, r"'green' is not a valid Colour"),
        ({"pair": ["x"]}, r"shorter"),
    ],
)
def test_what_is_no_plain_data_of_it_is_refused(change: dict[str, Any], error: str) -> None:
    with pytest.raises((TypeError, ValueError), match=error):
        build(Tree, plain(TREE) | change)


def test_a_missing_key_is_refused() -> None:
    with pytest.raises(TypeError, match="leaf_name"):
        build(Leaf, {})
