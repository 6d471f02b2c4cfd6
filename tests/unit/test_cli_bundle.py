"""`ipv6k8s bundle` writes what the API has, without a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.cli import connection
from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.kube import inventory
from tests.unit.cluster_api import ClusterApi
from tests.unit.test_bundle import contents
from tests.unit.test_declaration import FACTS


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> ClusterApi:
    """A cluster."""
    made = ClusterApi()
    monkeypatch.setattr(connection, "api", lambda chosen: made)
    monkeypatch.setattr(inventory, "read", lambda api: FACTS)
    return made


def test_a_bundle_is_written_without_a_failure(
    api: ClusterApi, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "now.tar.gz"

    assert cli.main(["bundle", "-o", str(file)]) == 0

    assert capsys.readouterr().out == f"bundle {file}\n"
    assert any("fake, https://fake" in text for text in contents(file).values())


@pytest.mark.parametrize(
    ("file", "told"),
    [("now.zip", "does not end in .tar.gz"), ("nowhere/a.tar.gz", "does not exist")],
)
def test_a_bundle_that_cannot_be_written_is_told_first(
    api: ClusterApi, capsys: pytest.CaptureFixture[str], tmp_path: Path, file: str, told: str
) -> None:
    assert cli.main(["bundle", "-o", str(tmp_path / file)]) == cli.USAGE

    assert told in capsys.readouterr().err
    assert api.asked == []
