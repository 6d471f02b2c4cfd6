"""The steps of action.yml, run as GitHub's runner does."""

from __future__ import annotations

import re
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
RECORDER = """#!/usr/bin/env bash
printf '%s\\0' "$(basename "$0")" "$@" >> "$RECORD"
printf '\\n' >> "$RECORD"
{then}
"""


def step(word: str) -> dict[str, Any]:
    """Return the step whose name begins with this."""
    (found,) = [s for s in STEPS if s["name"].startswith(word)]
    return found


@dataclass(kw_only=True)
class Machine:
    """A runner: its folders, the inputs of the action, and the outputs of steps that have run."""

    folder: Path
    inputs: Mapping[str, str] = field(default_factory=dict)
    path: str = "/usr/bin:/bin"
    environment: Mapping[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def temp(self) -> Path:
        """Where steps put what is theirs."""
        return self._made("temp")

    @property
    def bin(self) -> Path:
        """Where what the action installs is found."""
        return self._made("temp/ipv6k8s/bin")

    @property
    def workspace(self) -> Path:
        """Where the workflow's own files are."""
        return self._made("workspace")

    @property
    def summary(self) -> str:
        """The step summaries so far."""
        file = self.folder / "summary"
        return file.read_text("utf-8") if file.exists() else ""

    def recorder(self, name: str, then: str = "", *, folder: Path | None = None) -> None:
        """Put a program in place that writes down how it was called."""
        file = (folder or self._made("path")) / name
        file.write_text(RECORDER.replace("{then}", then))
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def recorded(self) -> list[list[str]]:
        """Return the calls of recorded programs, each with its arguments."""
        file = self.folder / "record"
        lines = file.read_text("utf-8").split("\0\n") if file.exists() else []
        return [line.split("\0") for line in lines if line]

    def run(self, word: str) -> subprocess.CompletedProcess[str]:
        """Run a step's shell, and take its outputs."""
        found = step(word)
        out = self.folder / "output"
        out.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", found["run"]],
            cwd=self.workspace,
            env={**self._environment(out), **self._of_step(found)},
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [line.partition("=") for line in out.read_text("utf-8").splitlines()]
        self.outputs.setdefault(found.get("id", word), {}).update({n: v for n, _, v in lines})
        return done

    def _environment(self, out: Path) -> dict[str, str]:
        return {
            "PATH": f"{self._made('path')}:{self.path}",
            "HOME": str(self.folder),
            "RECORD": str(self.folder / "record"),
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_OUTPUT": str(out),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            **self.environment,
        }

    def _of_step(self, found: Mapping[str, Any]) -> dict[str, str]:
        return {
            name: re.sub(r"\$\{\{ (.*?) \}\}", lambda match: self._value(match[1]), text)
            for name, text in found.get("env", {}).items()
        }

    def _value(self, expression: str) -> str:
        kind, *names = expression.split(".")
        if kind == "inputs":
            declared = ACTION["inputs"][names[0]]
            return self.inputs.get(names[0], declared.get("default", ""))
        if expression == "runner.temp":
            return str(self.temp)
        assert kind == "steps", expression
        return self.outputs.get(names[0], {}).get(names[2], "")

    def _made(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def machine(folder: Path, **inputs: str) -> Machine:
    """Return a machine on which nothing but the system's own programs can be found.

    Args:
        folder: an empty folder for it.
        inputs: the action's inputs, with ``_`` for ``-``.
    """
    return Machine(folder=folder, inputs={n.replace("_", "-"): v for n, v in inputs.items()})
