"""`ipv6k8s completion`: what a shell learns, and what bash makes of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pytest_ipv6k8s.cli import main as cli


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_learns_commands_options_and_checks(
    capsys: pytest.CaptureFixture[str], shell: str
) -> None:
    assert cli.main(["completion", shell]) == 0

    text = capsys.readouterr().out
    words = ["explain", "failed-of", "SVC-01", "dual-ipv6", "privileged"]
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("ex", "explain"),
        ("explain SVC-0", "SVC-01 SVC-02"),
        ("run NOD", "NODE NODE-01"),
        ("run --kind dual-", "dual-ipv6"),
        ("list --area A", "ADDR API"),
        ("report check pyp", "pyproject.toml"),
    ],
)
def test_bash_completes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, typed: str, completed: str
) -> None:
    cli.main(["completion", "bash"])
    words = f"ipv6k8s {typed}".split()
    script = capsys.readouterr().out + (
        f"\nCOMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; COMPREPLY=()\n"
        "function=$(complete -p ipv6k8s | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n"
        f'$function ipv6k8s "{words[-1]}"; echo "${{COMPREPLY[*]}}"\n'
    )
    (tmp_path / "pyproject.toml").touch()

    done = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True
    )

    assert done.stdout.startswith(completed), done.stderr
