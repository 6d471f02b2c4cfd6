"""Running programs: what they say, how they end, and that all of them end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s import process
from pytest_ipv6k8s.errors import HostProblem
from pytest_ipv6k8s.process import CommandFailed, Finished, must_run, run

AMPLE = 30.0


def _python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def test_what_a_program_says_is_returned() -> None:
    finished = run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout=AMPLE)

    assert finished == Finished(
        command=("sh", "-c", "echo out; echo err >&2; exit 3"), code=3, out="out\n", err="err\n"
    )
    assert not finished.ok


def test_a_program_reads_what_it_is_given() -> None:
    assert must_run(["cat"], timeout=AMPLE, stdin="häl\nlo") == "häl\nlo"


def test_a_program_that_is_given_nothing_reads_its_end() -> None:
    assert must_run(["cat"], timeout=AMPLE) == ""


def test_a_program_that_does_not_read_does_no_harm() -> None:
    assert run(["true"], timeout=AMPLE, stdin="x" * 1_000_000).ok


def test_variables_are_added_to_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "kept")
    monkeypatch.setenv("THEIRS", "old")
    script = "import os; print(os.environ['OURS'], os.environ['THEIRS'])"

    said = must_run(_python(script), timeout=AMPLE, environment={"THEIRS": "new"})

    assert said == "kept new\n"
    assert os.environ["THEIRS"] == "old"


def test_no_shell_is_involved(tmp_path: Path) -> None:
    assert must_run(["echo", "$HOME;", tmp_path], timeout=AMPLE) == f"$HOME; {tmp_path}\n"


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert must_run(["printf", r"a\377b"], timeout=AMPLE) == "a\ufffdb"


def test_a_missing_program_is_named_with_its_remedy() -> None:
    with pytest.raises(CommandFailed) as caught:
        run(["no-such-program-here", "x"], timeout=AMPLE)

    assert isinstance(caught.value, HostProblem)
    assert str(caught.value) == (
        "no-such-program-here is not on PATH. Install no-such-program-here."
    )


def test_a_failure_shows_the_command_the_code_and_the_last_words() -> None:
    script = "for n in $(seq 20); do echo line $n >&2; done; exit 7"

    with pytest.raises(CommandFailed) as caught:
        must_run(["sh", "-c", script], timeout=AMPLE)

    said = str(caught.value)
    assert said.startswith(f"`sh -c {script}` failed with exit code 7: line 9\n")
    assert said.endswith("line 20")
    assert caught.value.finished is not None
    assert caught.value.finished.code == 7


@pytest.mark.parametrize(("script", "words"), [("echo out; exit 1", "out"), ("exit 1", "")])
def test_the_last_words_are_output_where_there_are_no_errors(script: str, words: str) -> None:
    assert run(["sh", "-c", script], timeout=AMPLE).last_words == words


class _Step:
    """Progress that shows what a program says; what it was told is recorded."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __call__(self, line: str) -> None:
        """Begin a step."""

    def detail(self, line: str) -> None:
        """Record a line."""
        self.told.append(line)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("printf 'one\\ntwo\\n\\nnot whole'", "two"),
        ("printf '10 %%\\r20 %%\\r30'", "20 %"),
        ("echo out; echo err >&2", "err"),
        ("echo --password=hunter22", "--password=[redacted]"),
        ("printf -- '-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBg\\n'", "[redacted]"),
        ("printf ''", ""),
    ],
)
def test_the_last_whole_line_is_told_while_a_program_runs_and_its_output_kept(
    said: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_TOLD_EVERY", 0.05)
    step, go_on = _Step(), tmp_path / "go-on"

    def detail(line: str) -> None:
        step.told.append(line)
        if line == told:
            go_on.touch()

    monkeypatch.setattr(step, "detail", detail)
    script = f'read first; {said}; while ! [ -e "$0" ]; do sleep 0.02; done; echo "$first"; exit 3'

    ended = run(["sh", "-c", script, go_on], timeout=AMPLE, stdin="in\n", progress=step)

    assert told in step.told
    assert step.told[-1] == ""
    assert (ended.code, ended.out.endswith("in\n")) == (3, True)
    assert ended.out + ended.err == run(["sh", "-c", said], timeout=AMPLE).out + "in\n" + ended.err


def test_a_program_that_is_watched_ends_in_time_and_may_read_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "_TOLD_EVERY", 0.05)
    step = _Step()

    with pytest.raises(CommandFailed, match="`sleep 600` did not end within"):
        run(["sleep", "600"], timeout=0.2, stdin="x", progress=step)

    assert step.told[-1] == ""
    assert run(["true"], timeout=AMPLE, stdin="x", progress=step).ok


def _ends(pid: int) -> bool:
    """Wait for the end of a process that has been killed; nobody may have waited for it yet."""
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        time.sleep(0.01)
    return False


def test_a_program_that_takes_too_long_is_named() -> None:
    with pytest.raises(CommandFailed, match="`sleep 600` did not end within"):
        run(["sleep", "600"], timeout=0.05)


@pytest.mark.parametrize(
    ("trouble", "raised"),
    [(subprocess.TimeoutExpired("sh", 1), CommandFailed), (KeyboardInterrupt(), KeyboardInterrupt)],
    ids=["timeout", "interrupt"],
)
def test_the_whole_group_is_ended(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    trouble: BaseException,
    raised: type[BaseException],
) -> None:
    begun: list[subprocess.Popen[str]] = []
    child = tmp_path / "child"

    class Troubled(subprocess.Popen[str]):
        def communicate(self, *words: Any, **more: Any) -> tuple[str, str]:
            if begun:
                return super().communicate(*words, **more)
            begun.append(self)
            while not (child.exists() and child.read_text().endswith("\n")):
                time.sleep(0.01)
            raise trouble

    monkeypatch.setattr(subprocess, "Popen", Troubled)
    with pytest.raises(raised):
        run(["sh", "-c", 'sleep 600 & echo $! > "$0"; wait', child], timeout=AMPLE)

    assert begun[0].returncode is not None
    assert _ends(int(child.read_text()))
