"""Recipes for the programs that are built from Go modules."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ci.lab import settings
from ci.lab.settings import FILES, Layout
from ci.lab.steps import Artefact, Log, content_key

STATIC_CGO = "-s -w -linkmode external -extldflags -static"
PLAIN = "-s -w"
RECIPE = Path(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program that `go install module@version` builds."""

    name: str
    package: str
    version: str
    ldflags: str = PLAIN
    cgo: bool = False


KIND = Tool(name="kind", package="sigs.k8s.io/kind", version=settings.KIND)
FLANNEL = Tool(
    name="flannel",
    package="github.com/flannel-io/flannel",
    version=settings.FLANNEL,
    ldflags=(
        f"{STATIC_CGO} -X github.com/flannel-io/flannel/pkg/version.Version={settings.FLANNEL}"
    ),
    cgo=True,
)


def coredns(kubernetes_version: str) -> Tool:
    """The CoreDNS that goes with a Kubernetes."""
    version = settings.COREDNS[settings.minor(kubernetes_version)]
    return Tool(name="coredns", package="github.com/coredns/coredns", version=version)


def tool(layout: Layout, wanted: Tool) -> Artefact:
    """One program, in the artefact's folder under its own name."""
    facts = (wanted.name, wanted.package, wanted.version, wanted.ldflags, str(wanted.cgo))
    return Artefact(
        name=f"{wanted.name}-{wanted.version}",
        key=content_key(facts, [RECIPE]),
        outputs=layout.outputs,
        recipe=partial(_install, wanted),
    )


def kubernetes(layout: Layout, version: str) -> Artefact:
    """`kube` (all of Kubernetes' programs) and the etcd that this Kubernetes is tested with."""
    return Artefact(
        name=f"kubernetes-{version}",
        key=content_key([version], [RECIPE, FILES / "go"]),
        outputs=layout.outputs,
        recipe=partial(_build_kubernetes, version),
    )


def environment(*, cgo: bool) -> dict[str, str]:
    """The variables with which Go builds what the lab needs."""
    return os.environ | {
        "CGO_ENABLED": "1" if cgo else "0",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _install(wanted: Tool, out: Path, log: Log) -> None:
    env = environment(cgo=wanted.cgo) | {"GOBIN": str(out)}
    target = f"{wanted.package}@{wanted.version}"
    log.run([settings.go_program(), "install", "-ldflags", wanted.ldflags, target], env=env)


def _build_kubernetes(version: str, out: Path, log: Log) -> None:
    go = settings.go_program()
    source = out / "source"
    shutil.copytree(FILES / "go", source)
    downloaded = log.output([go, "mod", "download", "-json", f"k8s.io/kubernetes@{version}"])
    upstream = Path(json.loads(downloaded)["Dir"])
    (source / "go.mod").write_text(module_file((upstream / "go.mod").read_text(), version))
    shutil.copy(upstream / "go.sum", source / "go.sum")
    env = environment(cgo=False)
    flags = ["-mod=mod", "-ldflags", f"{PLAIN} {version_stamps(version)}"]
    for program in ("kube", "etcd"):
        log.run([go, "build", *flags, "-o", out / program, f"./{program}"], cwd=source, env=env)
    for name in ("kubeadm", "kubectl"):
        (out / name).symlink_to("kube")


def module_file(upstream: str, version: str) -> str:
    """A go.mod that builds Kubernetes: its staging modules come from their own releases."""
    staging = re.findall(r"^\s+(k8s\.io/\S+) => \./staging/", upstream, re.MULTILINE)
    library = version.replace("v1.", "v0.", 1)
    lines = [
        "module ipv6k8s.invalid/lab",
        f"go {go_version(upstream)}",
        f"require k8s.io/kubernetes {version}",
    ]
    lines += [f"require {module}" for module in required(upstream)]
    lines += [f"replace {module} => {module} {library}" for module in staging]
    return "\n".join(lines) + "\n"


def go_version(module_file: str) -> str:
    """The version of Go that a go.mod asks for."""
    found = re.search(r"^go (\S+)$", module_file, re.MULTILINE)
    if found is None:
        raise ValueError("a go.mod has no go line")
    return found[1]


def required(module_file: str) -> list[str]:
    """The modules that a go.mod requires, each with its version."""
    return re.findall(r"^\s+(\S+ v\S+)", module_file, re.MULTILINE)


def version_stamps(version: str) -> str:
    """Linker flags that tell the programs which version they are."""
    major, minor, _ = version.removeprefix("v").split(".", 2)
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(
        f"-X {package}.{name}={value}" for package in packages for name, value in stamps.items()
    )
