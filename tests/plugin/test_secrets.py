"""Every credential that a run holds, put wherever it can stand: none of them leaves the process."""

from __future__ import annotations

import base64
import html
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from tests.plugin.conftest import CHECKS, FAKE_RUN

SECRETS = {
    "token": "tok-" + "aZ09" * 12 + "-end",
    "client key": "MIIEvQ" + "kK7x" * 30,
    "basic password": "basic&<pass>word",
    "server password": "server~pass-word",
    "proxy password": "proxy-pass~word1",
    "oidc client secret": "oidc'client\"secret",
    "exec variable": "exec\\vari able/key+",
    "exec argument": "exec-argument-token",
    "environment": "environ-ment%token=",
    "proxy of the environment": "environ-proxy-pw",
    "registry password": "registry{pass}word",
}
PEM = f"-----BEGIN PRIVATE KEY-----\n{SECRETS['client key']}\n-----END PRIVATE KEY-----\n"
KUBECONFIG = {
    "current-context": "c",
    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    "clusters": [
        {
            "name": "c",
            "cluster": {
                "server": f"https://me:{SECRETS['server password']}@[::1]:9",
                "proxy-url": f"http://me:{SECRETS['proxy password']}@[::1]:9",
            },
        }
    ],
    "users": [
        {"name": "u", "user": {"token": SECRETS["token"]}},
        {"name": "b", "user": {"username": "me", "password": SECRETS["basic password"]}},
        {"name": "k", "user": {"client-key-data": base64.b64encode(PEM.encode()).decode()}},
        {
            "name": "o",
            "user": {
                "auth-provider": {
                    "name": "oidc",
                    "config": {"client-secret": SECRETS["oidc client secret"]},
                }
            },
        },
        {
            "name": "e",
            "user": {
                "exec": {
                    "command": "x",
                    "args": ["--token", SECRETS["exec argument"]],
                    "env": [{"name": "SECRET_KEY", "value": SECRETS["exec variable"]}],
                }
            },
        },
    ],
}
HOLD = """
import dataclasses, os
from pathlib import Path
from pytest_ipv6k8s.bundle.collect import Access
from pytest_ipv6k8s.kube import config
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.masking import hold
from pytest_ipv6k8s.plugin.bundles import Bundles
import json
Bundles._access = lambda self: Access(run_id="abc")
SECRETS = json.loads(Path(__file__).with_name("planted.json").read_text())

KUBECONFIG = Path(__file__).with_name("kubeconfig")
hold(SECRETS["registry password"])  # each process that makes pods reads the Secret

class HoldingRun(run.Run):
    def start(self):
        config.read(KUBECONFIG)
        for name, secret in SECRETS.items():
            self.tell(f"PLANT {name}: {secret}")
        if "REFUSE" in os.environ:
            from pytest_ipv6k8s.errors import ClusterError
            raise ClusterError("refused PLANT: " + " ".join(SECRETS.values()), remedy="none")
        return dataclasses.replace(FACTS_OF_RUN, kubeconfig=KUBECONFIG)
    def close(self):
        pass

run.Run = HoldingRun

def pytest_runtest_teardown(item):
    if "BREAK" in os.environ:
        everything = " ".join(SECRETS.values())
        raise SystemError("PLANT broken hook " + everything)
"""
PLANTS = '''
import base64, html, json, logging, os, sys, urllib.parse, warnings
from conftest import SECRETS

def deep(headers, body):
    local = body
    kept = {"headers": headers, "body": [body]}
    if "INTERRUPT" in os.environ:
        raise KeyboardInterrupt("PLANT " + body)
    raise ValueError(f"PLANT {headers} {local}")

def shapes(secret):
    yield from (secret, repr(secret), json.dumps(secret), html.escape(secret))
    yield base64.b64encode(secret.encode()).decode()
    yield urllib.parse.quote(secret, safe="")

def everywhere(name, secret):
    for shape in shapes(secret):
        print("PLANT stdout", name, shape)
        print("PLANT stderr", name, shape, file=sys.stderr)
        logging.getLogger("mine").warning("PLANT log %s %s", name, shape)
        logging.error("PLANT root log %s", shape)

@pytest.mark.parametrize("name", list(SECRETS))
def test_own(name, record_property, request):
    secret = SECRETS[name]
    everywhere(name, secret)
    record_property("PLANT", secret)
    request.node.add_report_section("call", "PLANT section", secret)
    deep({"authorization": f"Bearer {secret}"}, secret * 40)

@pytest.mark.parametrize("secret", list(SECRETS.values()))
def test_own_values(secret):
    pass

@pytest.mark.parametrize("name", [pytest.param(n, id=SECRETS[n]) for n in SECRETS])
def test_own_ids(name, record_xml_attribute, record_testsuite_property):
    record_xml_attribute("classname", "PLANT attribute " + SECRETS[name])
    record_testsuite_property("PLANT suite", SECRETS[name])

def test_own_skips():
    pytest.skip("PLANT " + " ".join(SECRETS.values()))

@pytest.mark.xfail(reason="PLANT " + " ".join(SECRETS.values()))
def test_own_xfails():
    assert " ".join(SECRETS.values()) == "PLANT"

def test_own_warns():
    warnings.warn("PLANT " + " ".join(SECRETS.values()))

@pytest.fixture
def broken():
    yield
    deep({}, " ".join(SECRETS.values()))

def test_own_teardown(broken):
    pass

@declare("T-40")
def test_answer(ipv6k8s_recorder):
    """It fails with secrets in its answers."""
    answer = {"PLANT": list(SECRETS.values()), "more": {s: s for s in SECRETS.values()}}
    record = Record(source="p", request={"op": "x", "PLANT": " ".join(SECRETS.values())},
                    answer=answer, path="PLANT " + " ".join(SECRETS.values()))
    ipv6k8s_recorder.append(record)
    everywhere("check", " ".join(SECRETS.values()))
    expect(False, expected="PLANT " + " ".join(SECRETS.values()), actual=record)

@declare("T-41")
def test_inconclusive_too(heard):
    """It is inconclusive because of a secret."""
    raise Inconclusive("PLANT " + " ".join(SECRETS.values()))

@declare("T-42")
def test_breaks_too(heard):
    """It breaks with a secret."""
    deep({}, " ".join(SECRETS.values()))

@declare("T-43")
def test_breaks_afterwards(heard, broken):
    """It breaks with a secret when all is over."""
    expect(True, expected="x", actual=heard)
'''
LOUD = (
    *("-vv", "--tb=long", "-l", "--full-trace", "-rA", "--junitxml=out.xml"),
    *("-o", "junit_logging=all", "--log-cli-level=DEBUG", "--log-file=out.log"),
)
FORMATS = ("json", "yaml", "md", "html")


@pytest.fixture
def planted(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project whose run holds every kind of credential and shows each of them everywhere."""
    pytester.makeconftest(FAKE_RUN + HOLD)
    header = CHECKS[: CHECKS.index('@declare("T-01")')]
    pytester.makepyfile(test_planted=header + PLANTS)
    (pytester.path / "planted.json").write_text(json.dumps(SECRETS))
    (pytester.path / "kubeconfig").write_text(yaml.safe_dump(KUBECONFIG))
    monkeypatch.setenv("CI_JOB_TOKEN", SECRETS["environment"])
    monkeypatch.setenv("https_proxy", f"http://me:{SECRETS['proxy of the environment']}@[::1]:9")
    return pytester


def _outputs(project: pytest.Pytester, *words: str) -> dict[str, str]:
    """Run and return whatever came out, by its name."""
    asked = [f"--ipv6k8s-report=out.{suffix}" for suffix in FORMATS]
    shown = (
        "--ipv6k8s-implementation=url=https://me:waived-pass-word@host/",
        "--ipv6k8s-waive=SVC-01=the password is w41ved-secret",
        "--ipv6k8s-cni-command=curl -u me:waived-pass-word x; PASS=w41ved-secret y -p w41ved-secret"
        " --set password=w41ved-secret",
    )
    result = project.runpytest_subprocess(
        "test_planted.py",
        "--ipv6k8s-provider=kind",
        "--ipv6k8s-bundle=bundles",
        *asked,
        *shown,
        *LOUD,
        *words,
    )
    found = {"stdout": result.stdout.str(), "stderr": result.stderr.str()}
    found |= {path.name: path.read_text() for path in project.path.glob("out.*")}
    for bundle in project.path.glob("bundles/*.gz"):
        found |= {f"{bundle.name}: {name}": text for name, text in _packed(bundle)}
    return found


def _packed(bundle: Path) -> Iterator[tuple[str, str]]:
    with tarfile.open(bundle) as packed:
        for member in packed:
            file = packed.extractfile(member)
            yield member.name, file.read().decode() if file else ""


def _leaks(outputs: dict[str, str]) -> list[str]:
    shapes = {
        f"{name} as {shape}": text
        for name, secret in {**SECRETS, "1": "waived-pass-word", "2": "w41ved-secret"}.items()
        for shape, text in {
            "it is": secret,
            "base64": base64.b64encode(secret.encode()).decode().rstrip("="),
            "a URL": quote(secret, safe=""),
            "JSON": json.dumps(secret)[1:-1],
            "HTML": html.escape(secret),
            "its beginning": secret[:16],
            "its end": secret[-16:],
        }.items()
    }
    return [
        f"{shape} in {output}: …{text[max(0, text.index(secret) - 60) : text.index(secret) + 9]}…"
        for output, text in outputs.items()
        for shape, secret in shapes.items()
        if secret in text
    ]


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_no_credential_is_in_any_output(planted: pytest.Pytester, workers: tuple[str, ...]) -> None:
    outputs = _outputs(planted, *workers)

    assert _leaks(outputs) == []
    expected = {"stdout", "out.xml", "out.log", *(f"out.{suffix}" for suffix in FORMATS)}
    if workers:
        expected.remove("out.log")  # workers write none
    pages = ("README.md", "checks/T-40/README.md", "checks/T-40/evidence.json")
    bundle = "ipv6k8s-bundle-abc"
    for name in (*expected, *(f"{bundle}.tar.gz: {bundle}/{page}" for page in pages)):
        assert "PLANT" in outputs[name], name
        assert "[redacted]" in outputs[name], name
    for words in ("PLANT stdout", "PLANT section", "PLANT log", "headers", "T-42", "required"):
        assert words in outputs["stdout"]
    for named in ("test_own_ids[[redacted]]", "test_own_values[[redacted]"):
        assert f'name="{named}' in outputs["out.xml"]


ENDS = {"INTERRUPT": 2, "BREAK": 3, "REFUSE": 4}


@pytest.mark.parametrize("how", ENDS)
def test_no_credential_is_told_when_a_run_breaks_off(
    planted: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """After Ctrl-C, after an error of a hook, and where the run is refused."""
    monkeypatch.setenv(how, "1")

    outputs = _outputs(planted, "-k", "token or T-40")

    assert _leaks(outputs) == []
    told = outputs["stderr"] if how == "REFUSE" else outputs["stdout"]
    assert "PLANT" in told
    assert "[redacted]" in told
