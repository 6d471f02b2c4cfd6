"""The command ``ipv6k8s completion``: what a shell needs to complete the command line."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.checks import Area
from pytest_ipv6k8s.profiles import PROFILES

OK = 0
SHELLS = ("bash", "zsh", "fish")

_HOW = """bash:  ipv6k8s completion bash > ~/.local/share/bash-completion/completions/ipv6k8s
zsh:   ipv6k8s completion zsh > DIRECTORY/_ipv6k8s     (one of $fpath)
fish:  ipv6k8s completion fish > ~/.config/fish/completions/ipv6k8s.fish

Commands, options, files, and ids and areas of checks complete; options of pytest do not. Write
the file again after an upgrade."""


def add(commands: Any, parser: argparse.ArgumentParser) -> None:
    """Add the command.

    Args:
        commands: where.
        parser: of the whole command line.
    """
    command = commands.add_parser(
        "completion",
        help="print what a shell needs to complete this command",
        epilog=_HOW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("shell", choices=SHELLS)
    command.set_defaults(run=lambda chosen: _completion(chosen, parser))


def _completion(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    import shtab

    words = {
        "area": list(Area.__members__),
        "profile": list(PROFILES),
        "id": [*Area.__members__, *catalogue.checks()],
    }
    words["checks"] = words["id"]
    for action in _actions(parser):
        completed: Any = action
        if action.dest in words:
            completed.complete = _of_words(action.dest, words[action.dest])
        elif action.type is Path:
            completed.complete = shtab.FILE
    print(shtab.complete(parser, chosen.shell))
    return OK


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in set(action.choices.values()):
                yield from _actions(command)
        else:
            yield action


def _of_words(name: str, words: Collection[str]) -> dict[str, Any]:
    """Return how each shell completes words that do not change."""
    function, listed = f"_ipv6k8s_{name}", " ".join(words)
    return {
        "bash": function,
        "zsh": f"({listed})",
        "fish": listed,
        "preamble": {"bash": f"{function}() {{\n  compgen -W '{listed}' -- \"$1\"\n}}"},
    }
