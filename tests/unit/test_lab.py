"""The offline lab: what its recipes work out, and what `lab up` and `lab env` choose."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from ci.lab import cilium, cli, engine, gobuild, plan, settings
from ci.lab.plan import Extra, Plan
from ci.lab.settings import Layout
from ci.lab.steps import Artefact, content_key

ROOT = Path(__file__).parents[2]
CORE = frozenset[Extra]()
WITH_CILIUM = frozenset({Extra.CILIUM})
GO_MOD = """\
module k8s.io/kubernetes

go 1.26.0

godebug default=go1.26

require (
	bitbucket.org/bertimus9/systemstat v0.5.0
	github.com/spf13/cobra v1.10.2 // indirect
	k8s.io/api v0.0.0
)

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/kubectl => ./staging/src/k8s.io/kubectl
)
"""


@pytest.fixture
def wanted(tmp_path: Path) -> Plan:
    return plan.make(Layout(cache=tmp_path / "cache"), "v1.36.3")


@pytest.fixture
def images(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The images that the engine has."""
    held: set[str] = set()
    monkeypatch.setattr(plan, "image_size", lambda tag: 1 if tag in held else None)
    return held


def test_the_version_of_go_and_the_requirements_are_read_from_a_go_mod() -> None:
    assert gobuild.go_version(GO_MOD) == "1.26.0"
    assert gobuild.required(GO_MOD) == [
        "bitbucket.org/bertimus9/systemstat v0.5.0",
        "github.com/spf13/cobra v1.10.2",
        "k8s.io/api v0.0.0",
    ]


def test_a_go_mod_without_a_version_of_go_is_refused() -> None:
    with pytest.raises(ValueError, match="no go line"):
        gobuild.go_version("module example.test\n")


def test_staging_modules_come_from_their_own_releases() -> None:
    assert gobuild.module_file(GO_MOD, "v1.36.3").splitlines() == [
        "module ipv6k8s.invalid/lab",
        "go 1.26.0",
        "require k8s.io/kubernetes v1.36.3",
        "require bitbucket.org/bertimus9/systemstat v0.5.0",
        "require github.com/spf13/cobra v1.10.2",
        "require k8s.io/api v0.0.0",
        "replace k8s.io/api => k8s.io/api v0.36.3",
        "replace k8s.io/kubectl => k8s.io/kubectl v0.36.3",
    ]


def test_cilium_is_built_with_its_forks() -> None:
    upstream = (
        "module github.com/cilium/cilium\n\ngo 1.24.0\n\nrequire (\n\texample.test/a v1.2.3\n)\n\n"
        "replace github.com/osrg/gobgp/v3 => github.com/cilium/gobgp/v3 v3.0.0-1\n"
    )
    assert cilium.module_file(upstream, "v1.18.3").splitlines() == [
        "module ipv6k8s.invalid/lab",
        "go 1.24.0",
        "require github.com/cilium/cilium v1.18.3",
        "require example.test/a v1.2.3",
        "replace github.com/osrg/gobgp/v3 => github.com/cilium/gobgp/v3 v3.0.0-1",
    ]


def test_both_version_packages_are_stamped() -> None:
    stamps = gobuild.version_stamps("v1.36.3").split("-X ")[1:]
    assert [stamp.strip() for stamp in stamps] == [
        f"{package}.{name}"
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        for name in ("gitVersion=v1.36.3", "gitMajor=1", "gitMinor=36", "gitTreeState=clean")
    ]


def test_a_key_is_that_of_facts_and_contents(tmp_path: Path) -> None:
    file = tmp_path / "files" / "recipe"
    file.parent.mkdir()
    file.write_text("one")
    first = content_key(["fact"], [file.parent])
    assert first == content_key(["fact"], [file])
    assert len(first) == 12
    assert first != content_key(["another"], [file])
    file.chmod(0o755)
    executable = content_key(["fact"], [file])
    file.write_text("two")
    assert len({first, executable, content_key(["fact"], [file])}) == 3


def test_every_artefact_has_an_estimate(wanted: Plan) -> None:
    names = {artefact.name for artefact in wanted.artefacts(WITH_CILIUM)}
    assert {plan.estimate(name) for name in names} <= set(plan.ESTIMATES.values())
    assert plan.estimate("cilium-v1.18.3") > plan.estimate("cilium-root")


def test_the_core_has_neither_cilium_nor_helm(wanted: Plan) -> None:
    def names(extras: frozenset[Extra]) -> set[str]:
        stages = wanted.stages(extras, [])
        return {step.name for stage in stages for lane in stage for step in lane}

    assert not [name for name in names(CORE) if "ilium" in name or "helm" in name]
    assert names(WITH_CILIUM) - names(CORE) == {
        f"helm-{settings.HELM}",
        f"cilium-{settings.CILIUM}",
        "cilium-root",
        "cilium-image",
        "node image with Cilium",
    }


@pytest.mark.parametrize("extras", [CORE, WITH_CILIUM])
def test_every_artefact_is_made_once(wanted: Plan, extras: frozenset[Extra]) -> None:
    stages = wanted.stages(extras, [])
    made = [step.name for stage in stages for lane in stage for step in lane]
    assert len(made) == len(set(made))
    assert {artefact.name for artefact in wanted.artefacts(extras)} <= set(made)


@pytest.mark.parametrize("extras", [CORE, WITH_CILIUM])
def test_what_an_artefact_needs_is_before_it(wanted: Plan, extras: frozenset[Extra]) -> None:
    (compiled, beside), (nodes,) = wanted.stages(extras, engine.steps(wanted.layout))
    names = [step.name for step in beside]
    for before, after in [
        ("packages", "debian-bookworm"),
        ("packages", f"flannel-{settings.FLANNEL}"),
        ("debian-trixie", "probe-root"),
        ("debian-bookworm", "node-root"),
        ("probe-root", "probe-image"),
        ("testbed-root", "testbed-image"),
        ("engine", "load probe image"),
        ("probe-image", "load probe image"),
        ("testbed-image", "load testbed image"),
    ]:
        assert names.index(before) < names.index(after)
    assert not {"packages", "debian-bookworm"} & {step.name for step in compiled}
    last = [step.name for step in nodes]
    assert last[:2] == ["component-images-v1.36.3", "node-image-v1.36.3"]


def test_env_exports_nothing_where_the_lab_was_never_used(
    wanted: Plan, images: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli._env(wanted, CORE) == 0
    assert capsys.readouterr() == ("", "")


def test_env_names_what_is_missing(
    wanted: Plan, images: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    _make(wanted, wanted.artefacts(CORE))
    images.update({wanted.parts.tag, wanted.probe_tag})
    assert cli._env(wanted, CORE) == 1
    out, err = capsys.readouterr()
    assert out == f'export PATH="{wanted.layout.programs}:$PATH"\n'
    assert wanted.testbed_tag in err
    assert wanted.probe_tag not in err


@pytest.mark.parametrize("extras", [CORE, WITH_CILIUM])
def test_env_exports_cilium_where_it_is(
    wanted: Plan, images: set[str], capsys: pytest.CaptureFixture[str], extras: frozenset[Extra]
) -> None:
    _make(wanted, wanted.artefacts(extras))
    images.update(wanted.tags(extras))
    assert cli._env(wanted, CORE) == 0
    out, err = capsys.readouterr()
    assert f"export IPV6K8S_NODE_IMAGE={wanted.parts.tag}\n" in out
    assert ("IPV6K8S_CNI_CHART" in out) is (extras == WITH_CILIUM)
    assert (wanted.cilium_node_tag in out) is (extras == WITH_CILIUM)
    assert not err


def test_only_programs_that_are_built_are_linked(wanted: Plan) -> None:
    _make(wanted, wanted.artefacts(CORE))
    assert sorted(link.name for link in wanted.layout.programs.iterdir()) == ["kind", "kubectl"]


def test_an_unknown_extra_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["up", "--with", "calico"])
    assert "choose from" in capsys.readouterr().err


def test_an_unknown_kubernetes_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["up", "--kubernetes", "v1.20.1"])
    assert "'v1.20.1' is not a version like v1.34.x or v1.36.x" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "lab"),
    [
        ("fast", None),
        ("offline", None),
        ("conformance", "ci/lab/lab up"),
        ("bench", "ci/lab/lab up"),
        ("cluster", "ci/lab/lab up --with cilium"),
        ("test", "ci/lab/lab up --with cilium"),
    ],
)
def test_make_builds_what_its_target_uses(target: str, lab: str | None) -> None:
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    called = re.findall(r"ci/detect \|\| (.*)", done.stdout)
    assert called == ([] if lab is None else [lab])


def _make(wanted: Plan, artefacts: list[Artefact]) -> None:
    """Make the folders of artefacts, and the links."""
    for artefact in artefacts:
        artefact.path.mkdir(parents=True)
    wanted.link_programs()
