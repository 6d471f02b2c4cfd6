"""Lines of a terminal: broken between words, hanging below their text."""

from __future__ import annotations

import shlex

import pytest

from pytest_ipv6k8s.wrapping import cut, wrapped, wrapped_command

LONG = "fd00:10:244::/64,fd00:10:244::/64,fd00:10:244::/64,fd00:10:244::/64"


@pytest.mark.parametrize(
    ("line", "indent"),
    [
        ("  actual    " + "no answer " * 20, 12),
        ("  causes    1. " + "a template " * 20, 15),
        ("            2. " + "a template " * 20, 15),
        ("SVC-01   core          " + "A cluster IP answers " * 10, 23),
        ("not judged  " + "SVC-01, " * 20, 12),
        ("a sentence of words " * 10, 0),
    ],
)
def test_what_is_too_long_hangs_below_its_text(line: str, indent: int) -> None:
    lines = wrapped(line, 60).splitlines()

    assert len(lines) > 1
    assert all(len(found) <= 60 for found in lines)
    assert {len(found) - len(found.lstrip()) for found in lines[1:]} == {indent}
    assert " ".join(lines).split() == line.split()


def test_a_word_is_never_torn() -> None:
    assert LONG in wrapped(f"  actual    routes {LONG} are there", 40)


@pytest.mark.parametrize(
    "command",
    [
        "kubectl get endpointslices -A -l kubernetes.io/service-name=every -o wide",
        "kubectl get pods -o jsonpath='{range .items[*]}{.status.podIPs} {end}' -A; ip -6 route",
    ],
)
def test_a_command_in_several_lines_is_the_same_to_a_shell(command: str) -> None:
    text = wrapped_command("  look      ", command, 60)

    assert len(text.splitlines()) > 1
    words = shlex.split(text.removeprefix("  look").replace("\\\n", ""))
    assert words == shlex.split(command)


def test_a_text_that_is_cut_says_so() -> None:
    assert cut("The AAAA record", 9) == "The AAAA…"
    assert cut("short", 9) == "short"
