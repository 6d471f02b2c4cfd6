"""Running programs: a time limit, the whole group ended, the output in the error."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ipv6k8s.errors import HostProblem
from pytest_ipv6k8s.masking import redact_text, without_secrets

Progress = Callable[[str], None]
"""Told one line for each step of long work.

One that has a ``detail`` shows it as long as the step goes on: it is told the last line of a
program that runs, without secrets, and nothing when that has ended.
"""

_TOLD_EVERY = 1.0
_LOOKED_AT = 100
"""Lines before the last one in which a secret may begin, such as a key of many lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A program that ended: its exit code and its output."""

    command: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        """Whether the exit code was 0."""
        return self.code == 0

    @property
    def last_words(self) -> str:
        """The end of its output, for an error message; without secrets."""
        return redact_text("\n".join((self.err or self.out).strip().splitlines()[-12:]))

    @property
    def shown(self) -> str:
        """The command, for an error message; without secrets."""
        return shown(self.command)


def shown(command: Sequence[str]) -> str:
    """Return a command as it may be shown: without passwords."""
    return without_secrets(" ".join(command))


class CommandFailed(HostProblem):
    """A program could not do what it was asked."""

    def __init__(self, problem: str, *, finished: Finished | None = None, remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.finished = finished


def run(
    command: Sequence[str | Path],
    *,
    timeout: float,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Finished:
    """Run a program to its end and return its output; a non-zero exit code is no error here.

    Args:
        command: program and arguments; no shell is involved.
        timeout: seconds after which the program and all its children are ended.
        stdin: what it may read.
        environment: variables on top of our own.
        progress: of the step that goes on; its ``detail`` is told what the program says.

    Raises:
        CommandFailed: there is no such program, or the time was up.
    """
    words = tuple(str(word) for word in command)
    process = _begin(words, environment or {})
    try:
        out, err = _communicate(process, stdin, timeout, getattr(progress, "detail", None))
    except subprocess.TimeoutExpired:
        _end(process)
        raise CommandFailed(f"`{shown(words)}` did not end within {timeout:.0f} s") from None
    except BaseException:
        _end(process)
        raise
    return Finished(command=words, code=process.returncode, out=out, err=err)


def must_run(
    command: Sequence[str | Path],
    *,
    timeout: float,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> str:
    """Run a program that has to succeed and return its standard output.

    Raises:
        CommandFailed: as :func:`run`, and for any exit code but 0.
    """
    finished = run(
        command, timeout=timeout, stdin=stdin, environment=environment, progress=progress
    )
    if not finished.ok:
        raise CommandFailed(
            f"`{finished.shown}` failed with exit code {finished.code}: {finished.last_words}",
            finished=finished,
        )
    return finished.out


def _begin(words: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    if shutil.which(words[0]) is None:
        raise CommandFailed(f"{words[0]} is not on PATH", remedy=f"install {words[0]}")
    return subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        env={**os.environ, **environment},
    )


def _communicate(
    process: subprocess.Popen[str], stdin: str, timeout: float, tell: Progress | None
) -> tuple[str, str]:
    """Return the output of a program; tell its last line now and then, where somebody listens."""
    if tell is None:
        return process.communicate(stdin, timeout=timeout)
    _hand_over(process, stdin)
    deadline = time.monotonic() + timeout
    try:
        while True:
            left = deadline - time.monotonic()
            try:
                return process.communicate(timeout=min(left, _TOLD_EVERY))
            except subprocess.TimeoutExpired as so_far:
                if left <= _TOLD_EVERY:
                    raise
                tell(_last_line(so_far.stderr or so_far.output or b""))
    finally:
        tell("")


def _hand_over(process: subprocess.Popen[str], stdin: str) -> None:
    """Give a program what it may read: `communicate` does so in its first call only."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(stdin)
        process.stdin = None


def _last_line(output: bytes) -> str:
    """Return the last line that is complete, without secrets; those before may begin one."""
    lines = output.decode(errors="replace").splitlines(keepends=True)
    complete = [line.strip() for line in lines if line.strip() and line.endswith(("\r", "\n"))]
    return redact_text("\n".join(complete[-_LOOKED_AT:])).rpartition("\n")[2]


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
