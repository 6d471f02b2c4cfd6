"""All checks of the suite: each is complete, and no two share an id."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.checks import Area

CHECKS = catalogue.checks()


@pytest.fixture(autouse=True)
def _looked_for_anew() -> Iterator[None]:
    """Other suites are looked into here: what is known of ours does not count."""
    catalogue.functions.cache_clear()
    yield
    catalogue.functions.cache_clear()


def test_checks_are_in_the_order_of_areas_and_each_id_names_its_check() -> None:
    areas = list(dict.fromkeys(declared.area for declared in CHECKS.values()))

    assert areas == list(Area.__members__)
    for area in areas:
        of_area = [id for id, declared in CHECKS.items() if declared.area == area]
        assert of_area == sorted(of_area)
    assert all(id == declared.id for id, declared in CHECKS.items())
    assert list(CHECKS) == list(catalogue.functions())


def test_every_check_of_the_folder_is_found() -> None:
    folder = Path(__file__).parents[2] / "conformance"
    functions = sum(file.read_text().count("\ndef test_") for file in folder.glob("test_*.py"))

    assert len(CHECKS) == functions > 0


A_CHECK = """
from pytest_ipv6k8s.checks import check
@check("SVC-01", references=["RFC 8200 section 3"], causes=["c"], look="ip a")
def test_it():
    \"\"\"It holds.\"\"\"
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A suite of its own, with one check in one module."""
    package = tmp_path / "suite_of_a_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "test_one.py").write_text(A_CHECK)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(catalogue, "SUITE", package.name)
    yield package
    for name in [name for name in sys.modules if name.startswith(package.name)]:
        del sys.modules[name]


def test_two_checks_with_one_id_are_refused(suite: Path) -> None:
    (suite / "test_two.py").write_text(A_CHECK)

    with pytest.raises(ValueError, match="two checks have the id SVC-01"):
        catalogue.functions()


def test_an_area_that_nobody_knows_is_refused(suite: Path) -> None:
    (suite / "test_two.py").write_text(A_CHECK.replace("SVC-01", "SVD-01"))

    with pytest.raises(ValueError, match="there is no area of check SVD-01"):
        catalogue.functions()


def test_a_check_that_is_imported_elsewhere_is_one(suite: Path) -> None:
    (suite / "test_two.py").write_text("from suite_of_a_test.test_one import test_it")

    assert list(catalogue.functions()) == ["SVC-01"]


def test_only_test_modules_are_looked_into(suite: Path) -> None:
    (suite / "helper.py").write_text("raise RuntimeError")

    assert list(catalogue.checks()) == ["SVC-01"]


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ([], {"SVC-01", "SVC-05", "DNS-01"}),
        (["SVC"], {"SVC-01", "SVC-05"}),
        (["SVC", "!SVC-05"], {"SVC-01"}),
        (["SVC-05", "!SVC-05"], set()),
        (["SVC-05", "!SVC"], set()),
        (["!SVC"], {"DNS-01"}),
    ],
)
def test_what_is_excluded_never_runs(words: list[str], chosen: set[str]) -> None:
    declared = catalogue.checks()

    assert {
        id for id in ("SVC-01", "SVC-05", "DNS-01") if catalogue.is_chosen(declared[id], words)
    } == chosen
