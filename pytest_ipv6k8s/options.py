"""What an option is: a field of the dataclass that uses it, which may be given from outside.

Every such field is on the command line, in the environment and in the ini file. What was once
called something else is in :data:`RENAMED` and refused with its new name.
"""

from __future__ import annotations

import dataclasses
import enum
import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.suggestions import meant

RENAMED = {"outside": "external", "outside-image": "testbed-image"}
"""Options by their old name, without the prefix."""

_METADATA = "ipv6k8s-option"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option: on the command line, in the environment and in the ini file.

    Attributes:
        name: as on the command line, without the prefix.
        path: the attributes that lead from the settings to its value.
        parse: turns one text into a value; a ValueError's text is shown.
        help: one sentence.
        metavar: what ``--help`` shows for the value; empty for a flag.
        repeats: whether it may be given more than once; its value is a tuple.
        separator: parts the values of a repeatable option in the environment; a comma everywhere,
            but not in names of files.
    """

    name: str
    path: tuple[str, ...]
    parse: Callable[[str], Any]
    help: str
    metavar: str
    repeats: bool
    separator: str

    @property
    def flag(self) -> str:
        """The option on the command line."""
        return f"--ipv6k8s-{self.name}"

    @property
    def ini(self) -> str:
        """The name in the ini file, and of the field in argparse."""
        return f"ipv6k8s_{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return self.ini.upper()

    @property
    def key(self) -> str:
        """The name among the sources of settings, and in reports."""
        return self.name.replace("-", "_")

    @property
    def is_flag(self) -> bool:
        """Whether it takes no value on the command line."""
        return not self.metavar

    @property
    def action(self) -> str:
        """What argparse does with it."""
        return "store_true" if self.is_flag else "append" if self.repeats else "store"

    def value(self, settings: Any) -> Any:
        """Return its value in the settings of a run."""
        for attribute in self.path:
            settings = getattr(settings, attribute)
        return settings


def option(
    text: str,
    metavar: str = "",
    *,
    parse: Callable[[str], Any] | None = None,
    default: Any = None,
    name: str = "",
    separator: str = ",",
) -> Any:
    """Return a dataclass's field that is an option, too; see :class:`Option`.

    Args:
        text: its help, one sentence.
        metavar: what ``--help`` shows for the value; empty for a flag.
        parse: turns one text into a value; without, a text stays and a flag is true or false.
        default: the value when nobody gives one; a tuple for a repeatable option.
        name: without the prefix; empty for the field's own name.
        separator: parts the values of a repeatable option in the environment; a comma everywhere,
            but not in names of files.
    """
    facts = {
        "help": text,
        "metavar": metavar,
        "parse": parse or (str if metavar else yes),
        "repeats": isinstance(default, tuple),
        "separator": separator,
    }
    return dataclasses.field(default=default, metadata={_METADATA: (name, facts)})


def options_of(record: Any, path: tuple[str, ...] = ()) -> Iterator[Option]:
    """Return the options of a dataclass and of those that it is composed of, in their order.

    Args:
        record: the dataclass; a part is a field whose default is made by the part's own class.
        path: the attributes that lead to it.
    """
    for found in dataclasses.fields(record):
        if _METADATA in found.metadata:
            name, facts = found.metadata[_METADATA]
            name = name or found.name.replace("_", "-")
            yield Option(name=name, path=(*path, found.name), **facts)
        elif dataclasses.is_dataclass(found.default_factory):
            yield from options_of(found.default_factory, (*path, found.name))


def changed(record: Any, path: tuple[str, ...], value: Any) -> Any:
    """Return a dataclass's object with another value at :attr:`Option.path`."""
    first, *rest = path
    if rest:
        value = changed(getattr(record, first), tuple(rest), value)
    return dataclasses.replace(record, **{first: value})


def old_options(options: Collection[Option]) -> list[tuple[Option, Option]]:
    """Return each option under its old name, and as it is called now."""
    by_name = {known.name: known for known in options}
    return [
        (dataclasses.replace(by_name[new], name=old), by_name[new]) for old, new in RENAMED.items()
    ]


def listed(kind: type[enum.Enum] | Collection[str]) -> str:
    """Return the values of an option in words, for its help."""
    return ", ".join(one.value if isinstance(one, enum.Enum) else one for one in kind)


def one_of(text: str, values: Collection[str]) -> str:
    """Return a text that is one of these values.

    Raises:
        ValueError: it is not; names them.
    """
    if text in values:
        return text
    close = meant(text, values)
    hint = f" (did you mean {close!r}?)" if close else ""
    raise ValueError(f"{text!r} is none of {', '.join(values)}{hint}")


def choice(kind: type[enum.Enum]) -> Callable[[str], Any]:
    """Return what parses a member of an enum from its value."""

    def parse(text: str) -> enum.Enum:
        return kind(one_of(text, [member.value for member in kind]))

    return parse


def positive(kind: Callable[[str], float]) -> Callable[[str], Any]:
    """Return what parses a number above 0 and below 10000."""

    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a number") from None
        if not 0 < value < 10_000:
            raise ValueError(f"{text} is not above 0 and below 10000")
        return value

    return parse


def path_of(text: str) -> Path:
    """Return a path, the user's home written out."""
    if not text:
        raise ValueError("is empty")
    return Path(text).expanduser()


def report_file(text: str) -> Path:
    """Return a file whose folder is there.

    Raises:
        ValueError: it is not.
    """
    file = path_of(text)
    if not file.absolute().parent.is_dir():
        raise ValueError(f"the folder of {text!r} does not exist")
    return file


def folder(text: str) -> Path:
    """Return a folder that is there or can be made.

    Raises:
        ValueError: it is not, or may not be written.
    """
    wanted = path_of(text)
    there = next(at for at in (wanted.absolute(), *wanted.absolute().parents) if at.exists())
    if not there.is_dir():
        raise ValueError(f"{there} is no folder")
    if not os.access(there, os.W_OK):
        raise ValueError(f"{there} cannot be written")
    return wanted


def toleration(text: str) -> dict[str, str]:
    """Return the toleration of ``KEY[=VALUE][:EFFECT]``.

    Raises:
        ValueError: there is no such effect.
    """
    key_value, _, effect = text.partition(":")
    key, equals, value = key_value.partition("=")
    found = {"key": key, "operator": "Equal" if equals else "Exists"}
    if equals:
        found["value"] = value
    if effect not in ("", "NoSchedule", "NoExecute", "PreferNoSchedule"):
        raise ValueError(f"{effect!r} is none of NoSchedule, NoExecute, PreferNoSchedule")
    return {**found, "effect": effect} if effect else found


def chosen(text: str) -> str:
    """Return a word that chooses checks: an id or an area, or one with a ``!``.

    It is as the catalogue has it, in capitals and with a hyphen.

    Raises:
        ValueError: it is none.
    """
    word = text.upper().replace("_", "-")
    if not re.fullmatch(r"!?[A-Z0-9]+(-\d\d)?", word):
        raise ValueError(f"{text!r} is neither a check, such as SVC-01, nor an area, such as SVC")
    return word


def label(text: str) -> tuple[str, str]:
    """Return key and value of ``KEY=VALUE``; the value may be empty."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise ValueError(f"{text!r} is not of the form KEY=VALUE")
    return key, value


def yes(text: str) -> bool:
    """Return whether a word means yes."""
    lowered = text.strip().lower()
    if lowered in ("1", "true", "yes", "on"):
        return True
    if lowered in ("", "0", "false", "no", "off"):
        return False
    raise ValueError(f"{text!r} is neither true nor false")
