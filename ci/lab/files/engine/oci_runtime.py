#!/usr/bin/python3 -IS
"""An OCI runtime for machines without CAP_SYS_RESOURCE: asks runc only for what it can grant.

It stands between containerd and runc: before `create`, `run` and `exec` it takes that capability,
a negative OOM score and the rlimits out of the process that runc is told to start.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CAPABILITY = "CAP_SYS_RESOURCE"


def option(arguments: list[str], *names: str) -> str | None:
    """The value of an option, written as `--name value` or `--name=value`."""
    for index, word in enumerate(arguments):
        if word in names:
            return arguments[index + 1]
        name, equals, value = word.partition("=")
        if equals and name in names:
            return value
    return None


def soften(process: dict[str, Any]) -> None:
    """Change the process of an OCI configuration in place."""
    for capabilities in (process.get("capabilities") or {}).values():
        if CAPABILITY in capabilities:
            capabilities.remove(CAPABILITY)
    if (process.get("oomScoreAdj") or 0) < 0:
        del process["oomScoreAdj"]
    process.pop("rlimits", None)


def rewrite(path: Path, process_in: Callable[[Any], dict[str, Any]]) -> None:
    """Soften the process in a JSON file."""
    document = json.loads(path.read_text())
    soften(process_in(document))
    path.write_text(json.dumps(document))


def main(arguments: list[str]) -> None:
    """Do our part, then become runc."""
    if "create" in arguments or "run" in arguments:
        bundle = option(arguments, "--bundle", "-b") or "."
        rewrite(Path(bundle, "config.json"), lambda document: document["process"])
    elif "exec" in arguments:
        process = option(arguments, "--process", "-p")
        if process:
            rewrite(Path(process), lambda document: document)
    os.execvp("runc", ["runc", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
