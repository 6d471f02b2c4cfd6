"""Files of users: one clear sentence for what cannot be read, and no half of what is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.files import read_document, write_whole

BAD = {
    "not text": (b"\xff\xfe", "cannot be read: it is no text in UTF-8"),
    "cut short": (b"a: 1\nb: }", "is not YAML, see line 2. Correct the file."),
    "a tab": (b"a:\n\t- b", "is not YAML, see line 2"),
    "a control character": (b"a: \x00", "is not YAML."),
    "no such date": (b"a: 2026-13-01", "is not YAML."),
    "nested deeply": (b"a: " + b"[" * 150 + b"]" * 150, "is nested too deeply. Check --recipe."),
    "an alias without end": (b"a: &a [*a]", "is nested too deeply. Check --recipe."),
    "too many values": (b"a: [" + b"1," * 200_000 + b"]", "has too many values. Check --recipe."),
    "too large": (b"a: " + b"b" * 5_000_000, "has more than 4 MiB. Check --recipe."),
    "too deep": (b"[" * 5000, "is not YAML"),
    "a list": (b"[1]", "is no recipe. Check --recipe."),
    "empty": (b"", "is no recipe. Check --recipe."),
}


def _read(path: Path) -> dict[str, object]:
    return read_document(path, what="recipe", source="--recipe")


def test_a_document_is_a_mapping_in_yaml_or_json(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    for text in ("salt: 1 g\nname: Brühe\n", '{"salt": "1 g", "name": "Brühe"}'):
        path.write_text(text, encoding="utf-8")

        assert _read(path) == {"salt": "1 g", "name": "Brühe"}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_document_is_named(tmp_path: Path, case: str) -> None:
    content, words = BAD[case]
    path = tmp_path / "recipe.yaml"
    path.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        _read(path)

    assert str(caught.value).startswith(f"recipe {path} ")
    assert words in str(caught.value)


def test_a_missing_document_is_named_with_its_option(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"

    with pytest.raises(ConfigError) as caught:
        _read(path)

    assert str(caught.value) == f"recipe {path} does not exist. Check --recipe."


def test_a_folder_is_no_document(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        _read(tmp_path)


def test_an_error_does_not_quote_the_file(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("token: 'hush-hush")

    with pytest.raises(ConfigError) as caught:
        _read(path)

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("content", ["Brühe", "Brühe".encode()], ids=["text", "bytes"])
def test_a_file_is_written_in_the_place_of_another(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "file.txt"
    path.write_text("before")

    write_whole(path, content)

    assert path.read_bytes() == "Brühe".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    (path / "folder").mkdir(parents=True)

    with pytest.raises(OSError, match="Is a directory"):
        write_whole(path, "whole")

    assert list(tmp_path.iterdir()) == [path]
