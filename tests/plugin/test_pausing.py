"""`--ipv6k8s-pause` stops at a red check, at a terminal only."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAUSE = ("--ipv6k8s-provider=kind", "--ipv6k8s-pause", "test_checks.py")


def _at_a_terminal(folder: Path, *arguments: str, keys: bytes) -> tuple[int, str]:
    """Run pytest at a terminal, with these keys pressed; return its exit code and output."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pytest", *PAUSE, *arguments]
    process = subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, keys)
    output = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # Linux: the other end is closed
            break
        if not part:
            break
        output += part
    os.close(ours)
    return process.wait(), re.sub(r"\x1b\[[0-9;]*m", "", output.decode())


def test_a_run_stops_at_each_red_check_and_goes_on(project: pytest.Pytester) -> None:
    chosen = "T-01 or T-02 or T-07 or T-10 or T-11"

    code, said = _at_a_terminal(project.path, "-k", chosen, keys=b"\n\n")

    assert code == 1, said
    assert said.count("Press Enter to go on") == 2
    assert "paused: T-02 is fail: " in said
    assert "paused: T-10 is inconclusive: nobody knows" in said


def test_a_waived_check_is_no_reason_to_stop(project: pytest.Pytester) -> None:
    code, said = _at_a_terminal(project.path, "-k", "T-02", "--ipv6k8s-waive=T-02=known", keys=b"")

    assert code == 0, said
    assert "paused" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((), "needs a terminal"), (("-n", "2"), "with -n several checks run at once")],
    ids=["no terminal", "xdist"],
)
def test_where_nobody_can_look_it_is_refused(
    project: pytest.Pytester, arguments: tuple[str, ...], words: str
) -> None:
    done = project.runpytest_subprocess(*PAUSE, *arguments)

    said = done.stdout.str() + done.stderr.str()
    assert done.ret == 4, said
    assert f"--ipv6k8s-pause{':' if arguments else ''} {words}" in said
    assert "INTERNALERROR" not in said
