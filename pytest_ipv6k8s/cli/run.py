"""The command ``ipv6k8s run``: pytest with the suite, for those who do not know pytest."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.checks import Level
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.reports import reading
from pytest_ipv6k8s.settings import OLD_OPTIONS, OPTIONS
from pytest_ipv6k8s.verdicts import UNSETTLED

_INI_FILES = (
    *("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"),
    *("pyproject.toml", "tox.ini", "setup.cfg"),
)
_MORE = """Flags and options of pytest are handed to it, such as -x, -n 4 and --ipv6k8s-external
none, and so is all that stands behind --. `pytest --help` lists them, those of this suite
under "ipv6k8s"."""
_PYTEST = (
    "import runpy, sys; sys.argv[0] = 'pytest'; sys.path[:] = [each for each in sys.path if each]; "
    "runpy.run_module('pytest', run_name='__main__')"
)
"""With ``-m pytest`` a file of the current folder, such as yaml.py, could pass for a package."""
_OURS = "--ipv6k8s-"
_OF_PYTEST = {"-W", "-c", "-k", "-m", "-n", "-p", "--durations", "--junitxml", "--maxfail", "--tb"}
"""Its options that people type with their value in a word of its own."""


def add(commands: Any) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "run",
        help="run the suite on the cluster of the current context, or on one that is made",
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "checks",
        nargs="*",
        metavar="CHECK",
        help="an id (SVC-01), an area (SVC), or !ID and !AREA for all others; all without",
    )
    cluster = command.add_mutually_exclusive_group()
    cluster.add_argument("--kubeconfig", type=Path, help="the cluster's kubeconfig (the usual one)")
    stacks = [stack.value for stack in Stack]
    cluster.add_argument("--kind", choices=stacks, metavar="STACK", help="make a kind cluster")
    command.add_argument("--context", help="the kubeconfig's context to use (the current one)")
    command.add_argument(
        "-o", "--output", type=Path, action="append", default=[], metavar="FILE", help="a report"
    )
    levels = [level.value for level in Level]
    command.add_argument("--level", choices=levels, help="only checks of this level")
    command.add_argument(
        "--failed-of",
        type=Path,
        metavar="REPORT",
        help="only what failed, was inconclusive or was not judged there",
    )
    command.add_argument(
        "--pause", action="store_true", help="stop at each red check while its probes stand"
    )
    command.set_defaults(run=_run, more=[])


def parted(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return our own words, and those for pytest: its options with their values, all behind ``--``.

    A value is joined to a long option: pytest looks for its settings beside a file that stands in
    a word of its own.
    """
    known = (*OPTIONS, *(old for old, _ in OLD_OPTIONS))
    valued = _OF_PYTEST | {option.flag for option in known if not option.is_flag}
    own: list[str] = []
    handed: list[str] = []
    left = iter(words)
    for word in left:
        if word == "--":
            handed += left
        elif word in valued:
            value = next(left, None)
            long = word.startswith("--") and value is not None
            handed += [f"{word}={value}"] if long else [w for w in (word, value) if w is not None]
        else:
            (handed if word.startswith(_OURS) else own).append(word)
    return own, handed


def _run(chosen: argparse.Namespace) -> int:
    """Become pytest: its exit code, its signals and its terminal are ours.

    Raises:
        ConfigError: there is nothing to run.
    """
    command = [sys.executable, "-c", _PYTEST, *arguments(chosen)]
    sys.stdout.flush()
    os.execv(command[0], command)


def arguments(chosen: argparse.Namespace) -> list[str]:
    """Return the arguments of pytest.

    Raises:
        ConfigError: nothing failed in the report that was given, or it cannot be read.
    """
    where = {"kubeconfig": chosen.kubeconfig, "context": chosen.context}
    if chosen.kind:
        where |= {"provider": "kind", "stack": chosen.kind}
    elif not chosen.kubeconfig:
        where["provider"] = "existing"
    checks = [*chosen.checks, *(_failed_of(chosen.failed_of) if chosen.failed_of else ())]
    return [
        f"--rootdir={Path.cwd()}",
        *_without_others(Path.cwd()),
        *("-p", "no:cacheprovider"),
        *(f"--ipv6k8s-{name}={value}" for name, value in where.items() if value),
        *(f"--ipv6k8s-check={check}" for check in checks),
        *(f"--ipv6k8s-report={file}" for file in chosen.output),
        *(("-m", chosen.level) if chosen.level else ()),
        *(("--ipv6k8s-pause",) if chosen.pause else ()),
        *chosen.more,
        *("--pyargs", catalogue.SUITE),
    ]


def _without_others(folder: Path) -> list[str]:
    """Return what keeps pytest from the ini file of a folder above, which is of another project."""
    above = (parent / name for parent in folder.parents for name in _INI_FILES)
    own = any((folder / name).is_file() for name in _INI_FILES)
    return ["-c", os.devnull] if not own and any(file.is_file() for file in above) else []


def _failed_of(file: Path) -> list[str]:
    ids = [check.id for check in reading.read(file).checks if check.verdict in UNSETTLED]
    if not ids:
        raise ConfigError(f"in {file} nothing is red", remedy="leave --failed-of out")
    return ids
