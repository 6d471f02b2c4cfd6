"""Dataclasses as plain data, as JSON has it, and back."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
_KEY = "key"


def key(name: str, **more: Any) -> Any:
    """Return a dataclass field whose key in plain data is another one than its name.

    Args:
        name: the key.
        more: what ``dataclasses.field`` takes.
    """
    return dataclasses.field(metadata={_KEY: name}, **more)


def plain(value: Any, *, camel: bool = False) -> Any:
    """Return plain data: mappings, lists, texts, numbers, booleans and None.

    A field that has its default is left out. Values which are neither dataclasses, enums, paths
    nor collections stay as they are.

    Args:
        value: a dataclass, or what may stand in one.
        camel: fields become keys in camelCase; keys of mappings stay.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            name: plain(getattr(value, field.name), camel=camel)
            for name, field in _fields(type(value), camel=camel).items()
            if not _has_default(field, getattr(value, field.name))
        }
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {plain(name): plain(item, camel=camel) for name, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item, camel=camel) for item in value)
    if isinstance(value, (tuple, list)):
        return [plain(item, camel=camel) for item in value]
    return value


def build(kind: type[T], data: Mapping[str, Any], *, camel: bool = False) -> T:
    """Return the dataclass whose plain data this is; nested ones, enums and paths are made, too.

    Args:
        kind: the dataclass.
        data: what :func:`plain` returned, also after a way through JSON.
        camel: as it was given to :func:`plain`.

    Raises:
        TypeError: a key is missing, or is no field.
        ValueError: a value is none of an enum's.
    """
    of_kind: Any = kind
    fields, hints = _fields(of_kind, camel=camel), _hints(of_kind)
    unknown = sorted(set(data) - set(fields))
    if unknown:
        raise TypeError(f"{kind.__name__} has no {', '.join(unknown)}")
    values = {fields[name].name: value for name, value in data.items()}
    return kind(**{name: _value(hints[name], value, camel=camel) for name, value in values.items()})


def keys(kind: type, *, camel: bool = False) -> dict[str, bool]:
    """Return the keys of a dataclass's plain data, each with whether it may be left out."""
    return {
        name: field.default is not dataclasses.MISSING
        or field.default_factory is not dataclasses.MISSING
        for name, field in _fields(kind, camel=camel).items()
    }


@functools.cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)


@functools.cache
def _fields(kind: Any, *, camel: bool) -> Mapping[str, dataclasses.Field[Any]]:
    return {
        str(field.metadata.get(_KEY) or (_camel(field.name) if camel else field.name)): field
        for field in dataclasses.fields(kind)
    }


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _has_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return field.default is not dataclasses.MISSING and bool(value == field.default)


def _value(hint: Any, value: Any, *, camel: bool) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        others = [argument for argument in arguments if argument is not types.NoneType]
        return value if value is None or len(others) > 1 else _value(others[0], value, camel=camel)
    if origin is tuple and arguments[-1] is not Ellipsis:
        pairs = zip(arguments, value, strict=True)
        return tuple(_value(inner, item, camel=camel) for inner, item in pairs)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        names, items = arguments
        return {
            _value(names, n, camel=camel): _value(items, item, camel=camel)
            for n, item in value.items()
        }
    if isinstance(origin, type) and issubclass(origin, Collection):
        made = origin if origin in (list, set, frozenset) else tuple
        return made(_value(arguments[0], item, camel=camel) for item in value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, camel=camel)
    if isinstance(hint, type) and issubclass(hint, (enum.Enum, Path)):
        return hint(value)
    return value
