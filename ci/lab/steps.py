"""Steps: each runs only when its result is missing, and leaves a log."""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class LabProblem(Exception):
    """Something the lab cannot get over; the message says what to do."""


class CommandFailed(LabProblem):
    """A command of a step ended with an exit status other than 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The log of one step: every command, and what it wrote."""

    path: Path

    def write(self, text: str) -> None:
        """Add a line of our own."""
        with self.path.open("a") as file:
            file.write(text.rstrip("\n") + "\n")

    def run(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Run a command with its output in the log; raise when it fails."""
        words = [str(word) for word in command]
        self.write("$ " + shlex.join(words))
        with self.path.open("a") as file:
            done = subprocess.run(
                words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        if done.returncode != 0:
            raise CommandFailed(f"{shlex.join(words)} ended with status {done.returncode}")

    def output(self, command: Sequence[str | Path], *, cwd: Path | None = None) -> str:
        """Run a command and return its standard output; raise when it fails."""
        words = [str(word) for word in command]
        self.write("$ " + shlex.join(words))
        with self.path.open("a") as file:
            done = subprocess.run(
                words, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=file
            )
        text = done.stdout.decode()
        self.write(text)
        if done.returncode != 0:
            raise CommandFailed(f"{shlex.join(words)} ended with status {done.returncode}")
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A named piece of work, and how to see that it is done already."""

    name: str
    done: Callable[[], bool]
    act: Callable[[Log], None]
    estimate: int
    """Seconds that it takes on two quiet cores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """A folder in the cache that a recipe fills; its name says from which inputs."""

    name: str
    key: str
    outputs: Path
    recipe: Callable[[Path, Log], None]

    @property
    def path(self) -> Path:
        """The finished folder; it exists only when it is whole."""
        return self.outputs / f"{self.name}-{self.key}"

    def size(self) -> int | None:
        """How many bytes it takes; None when it is not there."""
        if not self.path.is_dir():
            return None
        return sum(file.lstat().st_size for file in self.path.rglob("*"))

    def make(self, log: Log) -> None:
        """Fill a folder with another name, and rename it at the end."""
        partial = self.outputs / f"{self.name}-{self.key}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        self.recipe(partial, log)
        partial.rename(self.path)

    def step(self, *, estimate: int) -> Step:
        """The step that makes this artefact, and about how many seconds it takes."""
        return Step(name=self.name, done=self.path.is_dir, act=self.make, estimate=estimate)


def content_key(facts: Iterable[str], files: Iterable[Path]) -> str:
    """Twelve hexadecimal digits that change with any fact and any file's content."""
    digest = hashlib.sha256()
    for fact in facts:
        digest.update(f"fact {fact}\n".encode())
    for file in sorted(_all_files(files)):
        digest.update(f"file {file.name} {file.stat().st_mode & 0o111}\n".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _all_files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            yield from (file for file in path.rglob("*") if file.is_file())
        else:
            yield path
