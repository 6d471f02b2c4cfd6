"""What a cluster says is shown, never obeyed: by a terminal, by an editor, by a runner of CI."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_ipv6k8s.errors import ClusterError
from pytest_ipv6k8s.files import write_whole
from pytest_ipv6k8s.masking import cleaned, masked_in, one_line, redact, redact_text

HOSTILE = {
    "escape": "v1\x1b[31mred",
    "title": "v1\x1b]0;owned\x07",
    "C1": "v1\x9b31m",
    "return": "v1\rall is well",
    "backspace": "v1\b\b\bv2",
    "line separator": "v1\u2028next",
    "direction": "v1\u202egnp.exe",
    "half a character": "v1\ud800",
    "NUL": "v1\x00",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_control_characters_are_seen_instead_of_obeyed(case: str) -> None:
    text = HOSTILE[case]

    for shown in (
        cleaned(text),
        one_line(text),
        redact_text(text),
        redact({"a": [text]})["a"][0],
        str(ClusterError(text, remedy="look")),
        masked_in([text])[0],
    ):
        assert shown.startswith("v1\\")
        assert re.fullmatch(r"[\x20-\x7e]+", shown)
    assert cleaned(cleaned(text)) == cleaned(text)


COMMANDS = (
    "::error::x",
    "  ::set-output name=a::b",
    "ok\n::add-mask::x",
    "say ##[error]x",
    "##[x]",
)


@pytest.mark.parametrize("text", COMMANDS)
def test_no_line_is_a_command_to_githubs_runner(text: str) -> None:
    shown = cleaned(text)

    assert "##[" not in shown
    assert not any(line.lstrip().startswith("::") for line in shown.splitlines())


@pytest.mark.parametrize(
    "text",
    ["::1", "::", "::ffff:192.0.2.1", "fe80::1%eth0", "[::]:80\n::/0 dev lo\n\ttab", "größer"],
)
def test_addresses_lines_and_letters_stay_as_they_are(text: str) -> None:
    assert cleaned(text) == text


def test_a_name_of_two_lines_is_one_line() -> None:
    assert one_line("v1\nipv6k8s: all is well") == "v1 ipv6k8s: all is well"


@dataclass(frozen=True)
class _Report:
    names: tuple[str, ...]
    nested: dict[str, object]


def test_a_report_with_half_a_character_can_be_written(tmp_path: Path) -> None:
    report = masked_in(_Report(names=("a\ud800",), nested={"k\x1b": ["\udfff", 1, None]}))

    write_whole(tmp_path / "r.json", json.dumps([report.names, report.nested], ensure_ascii=False))

    assert report == _Report(names=("a\\ud800",), nested={"k\\x1b": ["\\udfff", 1, None]})
