"""Our programs in a process that has loaded everything: each call is a fork of it, with limits.

A call costs some hundredths of a second, so that a table may have hundreds of rows. The limits are
the kernel's: whoever needs more processor or memory is ended, and so is who hangs.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import pytest_ipv6k8s
from pytest_ipv6k8s.cli import main as cli

ROOT = Path(__file__).parents[1]
CPU, MEMORY = 5, 200 << 20
"""Seconds of processor, and bytes of memory, that a call may need."""
THIRD = ("hypothesis", "jsonschema", "kubernetes.config", "kubernetes.stream", "yaml")
PROGRAMS = ("__main__", "conformance", "testbed.container")
"""Modules that run when they are loaded, or need what only pods have."""
HANGS = 60
"""Seconds after which a call that waits for nothing is ended, also on a busy machine."""


@dataclass(frozen=True, kw_only=True)
class Called:
    """How a call ended: its exit code, or the signal that ended it as a negative number."""

    code: int
    out: str
    err: str


class Prepared:
    """A process that waits for calls; leave it with :meth:`close`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.prepared"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def call(
        self, program: str, *arguments: str, folder: Path, environment: Mapping[str, str]
    ) -> Called:
        """Call ``pytest`` or ``ipv6k8s`` in a folder, and with further variables."""
        assert self._process.stdin
        assert self._process.stdout
        asked = [program, arguments, str(folder), dict(environment)]
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        status = int(self._process.stdout.readline())
        out, err = ((folder / name).read_text(errors="replace") for name in ("out", "err"))
        return Called(code=os.waitstatus_to_exitcode(status), out=out, err=err)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def _serve() -> None:
    """Load all that calls need, and fork for each of them."""
    programs = {"pytest": pytest.main, "ipv6k8s": cli.main}
    for found in pkgutil.walk_packages(pytest_ipv6k8s.__path__, "pytest_ipv6k8s."):
        if not any(word in found.name for word in PROGRAMS):
            importlib.import_module(found.name)
    for name in THIRD:
        importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin:
        program, arguments, folder, environment = json.loads(line)
        child = os.fork()
        if not child:
            _run(programs[program], arguments, folder, environment)
        sys.stdout.write(f"{os.waitpid(child, 0)[1]}\n")
        sys.stdout.flush()


def _run(main: Any, arguments: Sequence[str], folder: str, environment: Mapping[str, str]) -> None:
    code = 1
    try:
        os.chdir(folder)
        os.environ |= environment
        for number, name in enumerate(("/dev/null", "out", "err")):
            flags = os.O_RDWR | (os.O_CREAT | os.O_TRUNC if number else 0)
            os.dup2(os.open(name, flags, 0o600), number)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        signal.alarm(HANGS)
        code = main(arguments)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
