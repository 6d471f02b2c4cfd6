"""A report's file is read with distrust, and what is wrong with it is one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.reports import save
from pytest_ipv6k8s.reports.reading import LARGEST, read
from tests.documents import sample

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_what_was_written_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r{suffix}"
    save(sample(), path)

    assert read(path) == sample()


def _changed(change: Callable[[dict[str, Any]], object]) -> str:
    document = sample().plain()
    change(document)
    return json.dumps(document)


BAD: dict[str, tuple[str, str, str]] = {
    **{
        f"version {version}": (
            "r.json",
            _changed(lambda d, version=version: d.update(apiVersion=version)),  # type: ignore[misc]
            f"r.json is of version {version}, and this ipv6k8s reads ipv6k8s.io/v1alpha1. "
            "Run the suite again, or use the pytest-ipv6k8s that wrote it, version 0.",
        )
        for version in ("ipv6k8s/v1alpha1", "ipv6k8s/v1alpha2", "ipv6k8s.io/v2")
    },
    "another document": ("r.yaml", "kind: Service", "r.yaml is no report of this suite. Give"),
    "a list": ("r.json", "[]", "r.json is no report of this suite. Give the YAML or JSON file"),
    "nothing": ("r.yaml", "", "r.yaml is no report of this suite"),
    "a word of its own": (
        "r.json",
        _changed(lambda d: d["checks"][0].update(verdict="great")),
        "r.json does not keep to the schema: checks[0].verdict: 'great' is not one of",
    ),
    "a key of its own": (
        "r.json",
        _changed(lambda d: d.update(surprise="x" * 900)),
        "r.json does not keep to the schema: at the top: Additional properties",
    ),
    "JSON cut short": (
        "r.json",
        json.dumps(sample().plain())[:-100],
        "r.json is no JSON, or was cut short: ",
    ),
    "YAML cut short": ("r.yaml", 'kind: "Conf', "r.yaml is no YAML, or was cut short: while"),
    "a tag": ("r.yaml", "!!python/object/apply:os.system [ls]", "r.yaml is no YAML, or was cut"),
    "too deep": ("r.json", "[" * 200_000, "r.json is no JSON, or was cut short: it is nested too"),
    "too deep YAML": ("r.yaml", "[" * 200_000, "r.yaml is no YAML, or was cut short: "),
    "aliases of aliases": ("r.yaml", BOMB, "r.yaml has too many values. Run the suite"),
    "an endless alias": ("r.yaml", "&a [*a]", "r.yaml is nested too deeply"),
    "a number as key": ("r.yaml", "1: 2", "r.yaml has a key that is no text. Run the suite again"),
    "a rendering": ("r.html", "<p>", "r.html is a rendering of a report. Give the YAML or JSON"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_exit_code_4(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name, text, message = BAD[case]
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text)

    assert cli.main(["report", "check", name]) == 4

    output = capsys.readouterr().err
    assert output.startswith(f"ipv6k8s: {message}")
    assert len(output) < 500
    assert output.count("\n") == 1


def test_a_large_file_is_refused_unread(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.yaml"
    with path.open("wb") as out:
        out.truncate(50 * 2**20)

    assert cli.main(["report", "render", str(path), "--to", "md"]) == 4
    assert (
        "has more than 8 MiB. Give the file that --ipv6k8s-report wrote" in capsys.readouterr().err
    )
    assert LARGEST == 8 * 2**20


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.yaml", None, "gone.yaml does not exist. Give the file that --ipv6k8s-report wrote"),
        (".", None, "cannot be read: Is a directory"),
        ("r.yaml", b"\xff\xfe\xff", "is no text in UTF-8"),
    ],
)
def test_what_is_no_text_file_is_named(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: bytes | None,
    message: str,
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    assert cli.main(["report", "diff", str(tmp_path / name), str(tmp_path / name)]) == 4
    assert message in capsys.readouterr().err
