"""Bundles: bounded in time and size, without secrets, whole or not at all."""

from __future__ import annotations

import tarfile
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from pytest_ipv6k8s.bundle import archive, nodes
from pytest_ipv6k8s.bundle.bundles import write_run
from pytest_ipv6k8s.bundle.gathering import File, Gathered, Keep, gather
from pytest_ipv6k8s.bundle.parts import CLUSTER, Part, Parts
from pytest_ipv6k8s.errors import ClusterError, HostProblem

DATE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.hunter2"


def _written(
    path: Path, *files: File, about: str = "# It failed", missing: tuple[str, ...] = ()
) -> dict[str, str]:
    gathered = archive.safe(Gathered(files=files, missing=missing), archive.LARGEST_CLUSTER)
    parts = Parts(folder=path.parent.parent / "parts")
    parts.claim_cluster()
    parts.save(CLUSTER, Part(gathered=gathered, date="2026-01-02 03:04:05"))
    write_run(path, parts, about)
    parts.remove()
    return contents(path)


def contents(path: Path) -> dict[str, str]:
    """Return the files of a bundle by their names in it."""
    found = {}
    with tarfile.open(path) as packed:
        for member in packed.getmembers():
            folder, _, name = member.name.partition("/")
            assert folder == path.name.removesuffix(".tar.gz")
            file = packed.extractfile(member)
            assert file is not None
            found[name] = file.read().decode()
    return found


def test_sources_are_read_side_by_side() -> None:
    both = threading.Barrier(2, timeout=5)

    def source() -> Iterator[File]:
        both.wait()
        yield File(name="x", text="y")

    gathered = gather({"one": source, "two": source}, timeout=5)

    assert [file.name for file in gathered.files] == ["x", "x"]
    assert gathered.missing == ()


def test_a_source_that_breaks_keeps_what_it_has_read_and_says_why() -> None:
    def source() -> Iterator[File]:
        yield File(name="x", text="y")
        raise ClusterError("pods is forbidden")

    def bug() -> Iterator[File]:
        raise KeyError("ours")
        yield

    gathered = gather({"pods": source, "bug": bug}, timeout=5)

    assert [file.name for file in gathered.files] == ["x"]
    assert gathered.missing == ("pods: pods is forbidden", "bug: 'ours'")


def test_a_source_that_hangs_is_left_behind() -> None:
    forever = threading.Event()

    def source() -> Iterator[File]:
        yield File(name="x", text="y")
        forever.wait(30)
        yield File(name="late", text="z")

    gathered = gather({"probe": source}, timeout=0.2)
    forever.set()

    assert [file.name for file in gathered.files] == ["x"]
    assert gathered.missing == ("probe: not read within 0.2 s",)


def test_the_readme_says_what_happened_what_is_there_and_what_is_missing(tmp_path: Path) -> None:
    files = File(name="logs/b.log", text="y"), File(name="tables/pods.txt", text="x")

    found = _written(tmp_path / "b" / "b.tar.gz", *files, missing=("events: forbidden",))

    assert list(found) == ["README.md", "tables/pods.txt", "logs/b.log"]
    readme = found["README.md"]
    assert readme.startswith("# It failed")
    assert "Read at 2026-01-02 03:04:05 UTC" in readme
    assert "| `tables/` |" in readme
    assert "| `nodes/` |" not in readme
    assert "No object was read." in readme
    assert "* events: forbidden\n" in readme


def test_the_same_contents_are_the_same_bytes(tmp_path: Path) -> None:
    one, two = (tmp_path / folder / "X-01.tar.gz" for folder in ("one", "two"))
    for path in (one, two):
        archive.write(path, [File(name="b", text="x"), File(name="a", text="y")], date=DATE)

    assert one.read_bytes() == two.read_bytes()


def test_a_long_file_keeps_whole_lines_of_its_beginning_or_end(tmp_path: Path) -> None:
    text = "".join(f"line {number:09}\n" for number in range(40_000))
    ends = [File(name="log", text=text, keep=Keep.END), File(name="state", text=text)]

    found = _written(tmp_path / "b" / "X-01.tar.gz", *ends)

    for name in ("log", "state"):
        assert 0 < len(found[name]) <= archive.LARGEST_FILE
        assert all(len(line) == 14 for line in found[name].splitlines())
    assert found["state"].startswith("line 000000000\n")
    assert found["log"].endswith("line 000039999\n")
    assert "* log: only its end is kept" in found["README.md"]
    assert "* state: only its beginning is kept" in found["README.md"]


def test_all_files_together_are_bounded_and_the_first_ones_win(tmp_path: Path) -> None:
    text = "0123456789abcdef\n" * (archive.LARGEST_FILE // 17)
    files = [File(name=f"{99 - number}", text=text) for number in range(40)]

    found = _written(tmp_path / "b" / "X-01.tar.gz", *files)

    assert sum(map(len, found.values())) < archive.LARGEST_CLUSTER + 10_000
    assert "99" in found
    assert "60" not in found
    assert "* 60: only its beginning is kept" in found["README.md"]


HOSTILE = {
    "environment of a pod": '{"name": "PASSWORD", "value": "hunter2"}',
    "the same in YAML": "- name: DB_PASSWORD\n  value: hunter2\n",
    "last applied": r"{\"name\":\"API_TOKEN\",\"value\":\"hunter2\"}",
    "assignment": "export PASSWORD=hunter2",
    "number": "password: 12345678hunter2",
    "flag": "started with --token=hunter2 --v=2",
    "bearer": "GET /api Authorization: Bearer hunter2",
    "basic": "Authorization: Basic hunter2==",
    "service account": f"using {JWT} for kube-system",
    "quoted": '{"client-secret": "a \\"quoted hunter2"}',
    "block": "password: |\n  first\n  hunter2\nnext: line\n",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
    "beginning of pem": "-----BEGIN PRIVATE KEY-----\nhunter2",
    "end of pem": "hunter2/+==\n-----END PRIVATE KEY-----\nmore",
    "kubeconfig": "client-key-data: LS0tLS1CRUdJTihunter2==",
    "pem in base64": "x LS0tLS1CRUdJTihunter2==",
    "address": "https://me:hunter2@registry.example/v2/",
    "bootstrap": "joined with hunte2.hunter2hunter2ab",
}


@pytest.mark.parametrize("case", HOSTILE)
def test_no_secret_gets_into_a_bundle(tmp_path: Path, case: str) -> None:
    text = HOSTILE[case]

    found = _written(
        tmp_path / "b" / "X-01.tar.gz", File(name="x", text=text), about=text, missing=(text,)
    )

    assert "hunter2" not in str(found)


def test_a_log_that_says_nothing_secret_stays_as_it_is(tmp_path: Path) -> None:
    text = 'I1124 proxier.go:805] "token expired" automountServiceAccountToken: false fd00::1\n'

    assert _written(tmp_path / "b" / "X-01.tar.gz", File(name="x", text=text))["x"] == text


def test_text_without_end_of_line_or_sense_is_fast(tmp_path: Path) -> None:
    text = "x" * 200_000 + " -----BEGIN" + "name: " * 5000

    assert _written(tmp_path / "b" / "X-01.tar.gz", File(name="x", text=text))


def test_a_bundle_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(HostProblem, match="cannot be written: "):
        archive.write(tmp_path / "file" / "X-01.tar.gz", [], date=DATE)


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, data: bytes) -> None:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)

    with pytest.raises(HostProblem, match="No space left on device"):
        archive.write(tmp_path / "X-01.tar.gz", [], date=DATE)

    assert list(tmp_path.iterdir()) == []


def _check(*texts: str) -> Part:
    files = tuple(File(name=f"{number}.txt", text=text) for number, text in enumerate(texts))
    return Part(gathered=Gathered(files=files))


def test_parts_of_several_processes_come_together_in_one_folder_each(tmp_path: Path) -> None:
    ours, theirs = Parts(folder=tmp_path / "parts"), Parts(folder=tmp_path / "parts")
    assert [ours.claim_cluster(), theirs.claim_cluster(), ours.claim_cluster()] == [True] + 2 * [
        False
    ]
    ours.save("SVC-01-IPv6", _check("a"))
    theirs.save("SVC-02", _check("b", "c"))
    ours.save(CLUSTER, Part(gathered=Gathered(files=(File(name="tables/nodes.txt", text="d"),))))

    write_run(tmp_path / "ipv6k8s-bundle-abc.tar.gz", ours, "# Bundle")

    found = contents(tmp_path / "ipv6k8s-bundle-abc.tar.gz")
    assert list(found)[1:] == [
        "tables/nodes.txt",
        *("checks/SVC-01-IPv6/0.txt", "checks/SVC-02/0.txt", "checks/SVC-02/1.txt"),
    ]
    ours.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["ipv6k8s-bundle-abc.tar.gz"]


def test_a_cluster_whose_reading_was_interrupted_leaves_the_checks(tmp_path: Path) -> None:
    parts = Parts(folder=tmp_path / "parts")
    parts.claim_cluster()
    parts.save("SVC-01", _check("a"))

    write_run(tmp_path / "b.tar.gz", parts, "# Bundle")

    found = contents(tmp_path / "b.tar.gz")
    assert "* the cluster: reading it did not come to its end" in found["README.md"]
    assert "checks/SVC-01/0.txt" in found


def test_checks_for_which_there_is_no_room_are_named(tmp_path: Path) -> None:
    parts = Parts(folder=tmp_path / "parts")
    parts.claim_cluster()
    for number in range(3):
        parts.save(f"SVC-0{number}", _check("x" * (archive.LARGEST_BUNDLE // 2 - 1)))

    write_run(tmp_path / "b.tar.gz", parts, "# Bundle")

    found = contents(tmp_path / "b.tar.gz")
    assert "* checks/SVC-02: there is no room for it" in found["README.md"]
    assert "checks/SVC-01/0.txt" in found


def test_what_a_node_says_becomes_files() -> None:
    scripts = []

    def shell(script: str, timeout: float) -> dict[str, str]:
        scripts.append(script)
        return {"n1": "\x1eip-addr\n1: lo\n\x1ekubelet.log\nstarted\n", "n2": "did not end"}

    files = list(nodes.read(shell, timeout=5))

    assert [(file.name, file.text) for file in files] == [
        ("nodes/n1/ip-addr.txt", "1: lo\n"),
        ("nodes/n1/kubelet.log.txt", "started\n"),
        ("nodes/n2/said.txt", "did not end"),
    ]
    assert files[1].keep is Keep.END
    for command in ("ip -6 route show table all", "ip6tables-save", "nft list ruleset", "ip neigh"):
        assert command in scripts[0]
    assert "/var/log/pods" not in scripts[0]
    list(nodes.read(shell, timeout=5, pod_logs=True))
    assert "/var/log/pods" in scripts[1]
