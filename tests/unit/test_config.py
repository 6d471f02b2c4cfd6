"""Which kubeconfig is used, and what is said of one that is no good."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import trustme

from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.kube import config
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.config import Kubeconfig, find, read

TWO = "contexts: [{name: one, context: {}}, {name: two, context: {}}]\n"


def _file(folder: Path, text: str) -> Path:
    path = folder / "config"
    path.write_text(text)
    return path


def test_a_given_path_wins_over_the_environment() -> None:
    assert find(Path("/given"), {"KUBECONFIG": "/other"}) == Path("/given")


@pytest.mark.parametrize(
    ("variable", "path"),
    [
        ("first", "first"),
        (":first:", "first"),
        ("first:missing", "first:missing"),
        ("::missing:first", "missing:first"),
    ],
)
def test_all_files_of_the_environment_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first").write_text(TWO)

    assert find(None, {"KUBECONFIG": variable}) == Path(path)


@pytest.mark.parametrize(
    ("variable", "told"),
    [("/no/a:/no/b", "/no/a and /no/b do not exist"), ("/no/a", "/no/a does not exist")],
)
def test_an_environment_that_names_no_file_that_exists_is_told(variable: str, told: str) -> None:
    with pytest.raises(ConfigError, match=rf"of \$KUBECONFIG, {told}"):
        find(None, {"KUBECONFIG": variable})


def test_a_file_that_is_no_good_is_told_with_where_its_path_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, other = _file(tmp_path, "hello"), tmp_path / "other"

    monkeypatch.setenv("KUBECONFIG", f":{given}")
    for path, source in ((given, r"\$KUBECONFIG"), (other, "the path that was given")):
        with pytest.raises(ConfigError, match=rf"Check {source}\.$"):
            read(path)


@pytest.mark.parametrize(
    ("host", "server"),
    [("fd00:10:96::1", "https://[fd00:10:96::1]:443"), ("10.96.0.1", "https://10.96.0.1:443")],
)
@pytest.mark.parametrize("more", [{}, {"KUBECONFIG": "/no/such/file"}])
def test_a_pod_uses_its_service_account_last(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ca: trustme.CA,
    host: str,
    server: str,
    more: dict[str, str],
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(config, "SERVICE_ACCOUNT", tmp_path)
    (tmp_path / "token").write_text("of-the-pod\n")
    ca.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "443", **more}

    path = find(None, environment, tmp_path)

    api = Api(read(path))
    assert api.server == server
    assert api.headers() == {"authorization": "Bearer of-the-pod"}
    assert "of-the-pod" not in path.read_text()


SEVERAL = """
current-context: CONTEXT
contexts: [{name: NAME, context: {cluster: NAME, user: NAME}}]
clusters: [{name: NAME, cluster: {server: "https://NAME.example"}}]
users: [{name: NAME, user: {token: "of-NAME"}}]
"""


def _several(folder: Path, currents: Mapping[str, str]) -> Path:
    """Write a file for each name, with a current context, and return them as one kubeconfig."""
    for name, current in currents.items():
        text = SEVERAL.replace("NAME", name).replace("CONTEXT", current or "''")
        (folder / name).write_text(text)
    return Path(":".join(str(folder / name) for name in currents))


@pytest.mark.parametrize("context", ["a", "b"])
def test_files_are_merged_as_kubectl_does(tmp_path: Path, context: str) -> None:
    found = read(_several(tmp_path, {"a": "a", "b": "b"}), context)

    api = Api(found)
    assert api.server == f"https://{context}.example"
    assert api.headers() == {"authorization": f"Bearer of-{context}"}
    assert found.kubectl == f"KUBECONFIG={found.path} kubectl --context {context}"


def test_the_first_file_with_a_current_context_says_which(tmp_path: Path) -> None:
    assert read(_several(tmp_path, {"a": "", "b": "b", "c": "c"})).context == "b"


def test_of_several_files_one_may_be_missing(tmp_path: Path) -> None:
    path = _several(tmp_path, {"a": "a", "b": "b"})
    (tmp_path / "a").unlink()

    assert read(path) == Kubeconfig(path=path, context="b")


def test_contexts_of_all_files_are_offered(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no context 'x'. It has: a, b"):
        read(_several(tmp_path, {"a": "a", "b": "b"}), "x")


@pytest.mark.parametrize("environment", [{}, {"KUBECONFIG": ""}, {"KUBECONFIG": "::"}])
def test_the_usual_place_is_last(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".kube").mkdir()
    usual = _file(tmp_path / ".kube", TWO)

    assert find(None, environment) == usual


def test_none_anywhere_is_told_with_all_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(ConfigError) as caught:
        find(None, {})

    said = str(caught.value)
    assert "none is given, nor $KUBECONFIG" in said
    assert said.endswith("Give --kubeconfig=FILE, to pytest --ipv6k8s-kubeconfig=FILE.")
    assert f"{tmp_path}/.kube/config does not exist" in said


def test_the_current_context_is_used_when_none_is_given(tmp_path: Path) -> None:
    path = _file(tmp_path, TWO + "current-context: two")

    assert read(path) == Kubeconfig(path=path, context="two")


def test_a_given_context_wins_over_the_current_one(tmp_path: Path) -> None:
    assert read(_file(tmp_path, TWO + "current-context: two"), "one").context == "one"


@pytest.mark.parametrize(
    ("text", "context", "words"),
    [
        (TWO, None, "has no current context. Name one of its contexts: one, two."),
        (TWO + "current-context: ''", None, "has no current context"),
        (TWO + "current-context: x", None, "has no context 'x'. It has: one, two."),
        (TWO + "current-context: one", "x", "has no context 'x'. It has: one, two."),
        ("contexts: []", None, "has no contexts"),
        ("contexts:", "one", "has no contexts"),
        ("contexts: [{context: {}}]", None, "has no contexts"),
        ("kind: Config", None, "has no contexts"),
        ("", None, "is no kubeconfig"),
        ("- a", None, "is no kubeconfig"),
        ("hello", None, "is no kubeconfig"),
        ("{{{", None, "is not YAML"),
        ("a: !!python/object:os.system x", None, "is not YAML"),
    ],
)
def test_whatever_is_wrong_with_it_is_said(
    tmp_path: Path, text: str, context: str | None, words: str
) -> None:
    path = _file(tmp_path, text)

    with pytest.raises(ConfigError) as caught:
        read(path, context)

    assert str(caught.value).startswith(f"kubeconfig {path} ")
    assert words in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["contexts: [1]", "contexts: 5", "contexts: [{name: 1}]"])
def test_contexts_of_another_shape_are_said(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        read(_file(tmp_path, text))


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none does not exist"):
        read(tmp_path / "none")


def test_a_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read(tmp_path)


def test_bytes_that_are_no_text_are_said(tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigError, match="cannot be read: it is no text"):
        read(tmp_path / "config")


def test_kubectl_is_called_for_the_same_cluster() -> None:
    found = Kubeconfig(path=Path("/k"), context="one")

    assert found.kubectl == "kubectl --kubeconfig /k --context one"
