"""What does not fit the schema of a declaration: everything, with its line and what was meant."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_ipv6k8s import data
from pytest_ipv6k8s.files import yaml_loader
from pytest_ipv6k8s.suggestions import meant

Place = tuple[str | int, ...]

_LONGEST = 60
_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
}


def mistakes(document: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """Return all that does not fit the schema, but for the header: its place, and a sentence."""
    import jsonschema

    schema = json.loads(data.text("declaration.schema.json"))
    found: list[tuple[Place, str]] = []
    for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
        place = tuple(error.absolute_path)
        say = _SAID.get(str(error.validator), _in_their_words)
        found += [((*place, *more), text) for more, text in say(error)]
    return found


def _unknown_keys(error: Any) -> Iterator[tuple[Place, str]]:
    known = error.schema["properties"]
    for key in error.instance:
        if key not in known:
            close = meant(str(key), known)
            yield (str(key),), f"unknown key{_hint(close)}"


def _missing_keys(error: Any) -> Iterator[tuple[Place, str]]:
    missing = [key for key in error.validator_value if key not in error.instance]
    if error.absolute_path and error.message.startswith(repr(missing[0])):
        yield (), f"it lacks {' and '.join(missing)}"


def _not_one_of(error: Any) -> Iterator[tuple[Place, str]]:
    values = error.validator_value
    close = meant(_word(error.instance), values)
    yield (), f"{_shown(error.instance)} is none of {', '.join(values)}{_hint(close)}"


def _of_another_type(error: Any) -> Iterator[tuple[Place, str]]:
    wanted = error.validator_value
    kinds = [wanted] if isinstance(wanted, str) else wanted
    yield (), f"{error.instance!r} is not {' or '.join(_TYPES[kind] for kind in kinds)}"


def _out_of_bounds(error: Any) -> Iterator[tuple[Place, str]]:
    least, most = error.schema.get("minimum"), error.schema.get("maximum")
    yield (), f"{_shown(error.instance)} is not between {least} and {most}"


def _of_another_form(error: Any) -> Iterator[tuple[Place, str]]:
    yield (), f"{_shown(error.instance)} is not {error.schema['$comment']}"


def _in_their_words(error: Any) -> Iterator[tuple[Place, str]]:
    yield (), error.message


def _shown(value: Any) -> str:
    """Return a value for an error, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_SAID: Mapping[str, Callable[[Any], Iterator[tuple[Place, str]]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "enum": _not_one_of,
    "type": _of_another_type,
    "minimum": _out_of_bounds,
    "maximum": _out_of_bounds,
    "pattern": _of_another_form,
    "const": lambda error: iter(()),
}


def _word(value: Any) -> str:
    """Return a value as it is written in YAML, which reads a bare yes or no as a boolean."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _hint(close: str) -> str:
    return f"; did you mean {close}?" if close else ""


def name_of(place: Sequence[str | int]) -> str:
    """Return how a place is written: ``targets[0].tcp``."""
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return words.removeprefix(".")


def place_of(name: str) -> Place:
    """Return the place that a name such as ``targets[0].tcp`` stands for."""
    return tuple(int(n) if n else word for n, word in re.findall(r"\[(\d+)\]|([^.\[\]]+)", name))


def twice(path: Path) -> list[tuple[Place, str]]:
    """Return the keys that a map of a YAML file has twice: the last one would count, unseen."""
    found: list[tuple[Place, str]] = []
    waiting: list[tuple[Any, Place]] = [(_composed(path), ())]
    while waiting:
        node, place = waiting.pop()
        if isinstance(node.value, str):
            continue
        names: set[str] = set()
        for number, part in enumerate(node.value):
            key, value = part if isinstance(part, tuple) else (None, part)
            name = number if key is None else str(key.value)
            waiting.append((value, (*place, name)))
            if name in names:
                found.append(((*place, name), "it is given twice"))
            names.add(str(name))
    return found


def lines_of(path: Path) -> Callable[[Place], int]:
    """Return what tells the line of a file in which a place stands, or what it is part of."""
    import yaml

    whole = _composed(path)

    def line_of(place: Place) -> int:
        node, line = whole, int(whole.start_mark.line)
        for part in place:
            if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
                node = node.value[part]
                line = node.start_mark.line
            elif isinstance(node, yaml.MappingNode):
                pair = next((pair for pair in node.value if pair[0].value == str(part)), None)
                if pair is None:
                    break
                node, line = pair[1], pair[0].start_mark.line
        return line + 1

    return line_of


def _composed(path: Path) -> Any:
    """Return the nodes of a YAML file that was read already."""
    import yaml

    return yaml.compose(path.read_text("utf-8"), Loader=yaml_loader())
