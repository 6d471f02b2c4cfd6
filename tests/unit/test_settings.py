"""Where a setting comes from, which value wins, and what is said of a bad one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Egress, Stack
from pytest_ipv6k8s.clusters.contract import K3sComponent, KubeProxy
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.options import changed, option, options_of
from pytest_ipv6k8s.plugin.document import format_setting
from pytest_ipv6k8s.settings import (
    OPTIONS,
    Allow,
    Dns64,
    External,
    Settings,
    Waiver,
    resolve,
)

BY_NAME = {option.name: option for option in OPTIONS}
TOLERATION = {"key": "k", "operator": "Equal", "value": "v", "effect": "NoExecute"}
SAMPLES: dict[str, tuple[str, Any]] = {
    "kubeconfig": ("/k", Path("/k")),
    "context": ("c", "c"),
    "provider": ("kind", "kind"),
    "stack": ("dual-ipv6", Stack.DUAL_IPV6),
    "workers": ("3", 3),
    "cni": ("cilium", "cilium"),
    "cni-command": ("make net", "make net"),
    "cni-chart": ("oci://r/c", "oci://r/c"),
    "cni-values": ("tunnel", ("tunnel",)),
    "kube-proxy": ("nftables", KubeProxy.NFTABLES),
    "pod-cidr": ("fd00:10::/56", ("fd00:10::/56",)),
    "service-cidr": ("fd00:96::/112", ("fd00:96::/112",)),
    "k3s-disable": ("traefik", (K3sComponent.TRAEFIK,)),
    "max-nodes": ("5", 5),
    "node-image": ("n:1", "n:1"),
    "probe-image": ("p:1", "p:1"),
    "declaration": ("~/d.yaml", Path.home() / "d.yaml"),
    "target": ("v6=[2001:db8::1]:443", (("v6", "2001:db8::1", 443),)),
    "enforces-policy": ("yes", True),
    "external": ("testbed", External.TESTBED),
    "testbed-image": ("o:1", "o:1"),
    "egress": ("nptv6", Egress.NPTV6),
    "dns64": ("coredns", Dns64.COREDNS),
    "pull-secret": ("ns/s", "ns/s"),
    "node-selector": ("a=b", (("a", "b"),)),
    "toleration": ("k=v:NoExecute", (TOLERATION,)),
    "namespace": ("given", "given"),
    "label": ("team=net", (("team", "net"),)),
    "annotation": ("owner=me", (("owner", "me"),)),
    "priority-class": ("low", "low"),
    "request": ("cpu=5m", (("cpu", "5m"),)),
    "limit": ("cpu=2", (("cpu", "2"),)),
    "allow": ("privileged", (Allow.PRIVILEGED,)),
    "timeout-factor": ("2.5", 2.5),
    "waive": ("SVC-01=known", (Waiver(id="SVC-01", reason="known"),)),
    "strict": ("yes", True),
    "check": ("svc-01,!dns", ("SVC-01", "!DNS")),
    "all": ("yes", True),
    "pause": ("yes", True),
    "keep": ("1", True),
    "profile": ("nat64", ("nat64",)),
    "report": ("/tmp/r.json", (Path("/tmp/r.json"),)),
    "implementation": ("project=Net", (("project", "Net"),)),
    "redact": ("true", True),
    "evidence": ("3", 3),
    "bundle": ("/tmp/bundles", Path("/tmp/bundles")),
}


def _resolve(
    given: dict[str, Any] | None = None,
    environment: dict[str, str] | None = None,
    ini: dict[str, Any] | None = None,
) -> Settings:
    return resolve(given or {}, environment or {}, ini or {})


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of settings."""

    most: int = option("At most so many.", "N", parse=int, default=3)
    plain: int = 5


@dataclass(frozen=True, kw_only=True)
class Whole:
    """Settings with a part; only some fields are options."""

    names: tuple[str, ...] = option("Names.", "NAME", default=(), name="name")
    loud: bool = option("Shout.", default=False)
    part: Part = field(default_factory=Part)
    others: dict[str, str] = field(default_factory=dict)


def test_options_are_the_fields_of_a_dataclass_and_its_parts_that_say_so() -> None:
    name, loud, most = options_of(Whole)

    assert (name.flag, name.ini, name.variable) == (
        *("--ipv6k8s-name", "ipv6k8s_name"),
        "IPV6K8S_NAME",
    )
    assert (name.repeats, loud.repeats, most.repeats) == (True, False, False)
    assert (name.is_flag, loud.is_flag, most.is_flag) == (False, True, False)
    assert [known.path for known in (name, loud, most)] == [("names",), ("loud",), ("part", "most")]
    assert [known.value(Whole()) for known in (name, loud, most)] == [(), False, 3]


def test_a_value_deep_in_the_settings_is_changed() -> None:
    assert changed(Whole(), ("part", "most"), 4) == Whole(part=Part(most=4))


def test_every_option_has_a_sample() -> None:
    assert set(SAMPLES) == set(BY_NAME)
    assert len(BY_NAME) == len(OPTIONS)


def test_without_options_every_value_is_the_default() -> None:
    assert _resolve() == Settings()
    assert Settings().sources == {}


def test_every_option_may_come_from_everywhere() -> None:
    wrong: list[str] = []
    for known in OPTIONS:
        text, wanted = SAMPLES[known.name]
        listed = [text] if known.repeats else text
        settings = {
            "command line": _resolve({known.ini: True if known.is_flag else listed}),
            "environment": _resolve(environment={known.variable: text}),
            "ini": _resolve(ini={known.ini: listed}),
        }
        wrong += [
            f"{known.name} from {source}"
            for source, found in settings.items()
            if known.value(found) != wanted
            or found.sources != {known.key: source}
            or format_setting(found, known) not in (text, "True" if known.is_flag else text)
        ]

    assert wrong == []


@pytest.mark.parametrize(
    ("option", "given", "shown"),
    [
        ("target", ["v6=[2001:db8::1]:443", "v4=192.0.2.1:agent"], None),
        ("label", ["team=net", "token=s3cr3t-of-a-team"], "team=net,token=[redacted]"),
        ("cni-command", "PASSWORD=hunter22 make net", "PASSWORD=[redacted] make net"),
    ],
)
def test_a_setting_is_shown_as_it_was_given_and_without_secrets(
    option: str, given: str | list[str], shown: str | None
) -> None:
    known = BY_NAME[option]

    assert format_setting(_resolve({known.ini: given}), known) == (shown or ",".join(given))


def test_the_command_line_wins_over_the_environment_over_the_ini_file() -> None:
    given = {"ipv6k8s_stack": "dual"}
    environment = {"IPV6K8S_STACK": "ipv4", "IPV6K8S_WORKERS": "2"}
    ini = {"ipv6k8s_stack": "ipv6", "ipv6k8s_workers": "3", "ipv6k8s_max_nodes": "4"}

    settings = _resolve(given, environment, ini)

    assert (
        *(settings.cluster.stack, settings.cluster.workers),
        settings.probes.max_nodes,
    ) == (Stack.DUAL, 2, 4)
    assert settings.sources == {
        "stack": "command line",
        "workers": "environment",
        "max_nodes": "ini",
    }


@pytest.mark.parametrize("nothing", [None, "", [], False])
def test_what_is_empty_was_not_given(nothing: Any) -> None:
    settings = _resolve({"ipv6k8s_allow": nothing}, {"IPV6K8S_ALLOW": "privileged"})

    assert settings.probes.allow == (Allow.PRIVILEGED,)


def test_a_higher_source_replaces_a_list_as_a_whole() -> None:
    settings = _resolve({"ipv6k8s_waive": ["A-01=x"]}, {"IPV6K8S_WAIVE": "B-01=y\nC-01=z"})

    assert [waiver.id for waiver in settings.waive] == ["A-01"]


def test_the_environment_can_switch_a_flag_of_the_ini_file_off() -> None:
    settings = _resolve(environment={"IPV6K8S_STRICT": "0"}, ini={"ipv6k8s_strict": "true"})

    assert settings.strict is False
    assert settings.sources == {"strict": "environment"}


@pytest.mark.parametrize("text", ["1", "true", "YES", "On"])
def test_a_flag_is_switched_on_by_any_usual_word(text: str) -> None:
    assert _resolve(environment={"IPV6K8S_KEEP": text}).cluster.keep is True


@pytest.mark.parametrize("text", ["0", "False", "no", "OFF"])
def test_a_flag_is_switched_off_by_any_usual_word(text: str) -> None:
    assert _resolve(environment={"IPV6K8S_KEEP": text}).cluster.keep is False


def test_values_in_the_environment_are_parted_by_commas() -> None:
    settings = _resolve(
        environment={
            "IPV6K8S_PROFILE": "nat64, ipv6-only",
            "IPV6K8S_NODE_SELECTOR": "a=b,c=",
            "IPV6K8S_TOLERATION": "dedicated,gpu=yes,spot:NoSchedule",
        }
    )

    assert settings.profile == ("nat64", "ipv6-only")
    assert settings.probes.node_selector == (("a", "b"), ("c", ""))
    assert settings.probes.toleration == (
        {"key": "dedicated", "operator": "Exists"},
        {"key": "gpu", "operator": "Equal", "value": "yes"},
        {"key": "spot", "operator": "Exists", "effect": "NoSchedule"},
    )


@pytest.mark.parametrize("source", ["given", "ini"])
def test_values_elsewhere_are_parted_by_commas_but_for_files(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    texts = {"profile": ["nat64,dual-stack", "ipv6-only"], "pod_cidr": ["fd00::/56,10.0.0.0/16"]}
    texts |= {"report": ["a,b.yaml"], "check": ["svc_01,!dns"]}

    settings = resolve(*_by_source(source, {f"ipv6k8s_{key}": t for key, t in texts.items()}))

    assert settings.profile == ("nat64", "dual-stack", "ipv6-only")
    assert settings.cluster.pod_cidrs == ("fd00::/56", "10.0.0.0/16")
    assert settings.report.files == (Path("a,b.yaml"),)
    assert settings.check == ("SVC-01", "!DNS")


def _by_source(source: str, texts: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str], Any]:
    return (texts, {}, {}) if source == "given" else ({}, {}, texts)


def test_waivers_are_parted_by_lines_for_their_reasons_hold_commas() -> None:
    settings = _resolve(environment={"IPV6K8S_WAIVE": "svc_01=known, see #7\n DNS-02 = a=b "})

    assert settings.waive == (
        Waiver(id="SVC-01", reason="known, see #7"),
        Waiver(id="DNS-02", reason="a=b"),
    )


@pytest.mark.parametrize(
    ("variable", "text"), [("IPV6K8S_WAIVE", "SVC-01=known\n"), ("IPV6K8S_ALLOW", "privileged,")]
)
def test_a_separator_at_the_end_adds_nothing(variable: str, text: str) -> None:
    settings = _resolve(environment={variable: text})

    assert len(settings.waive + settings.probes.allow) == 1


BAD = [
    ("stack", "dua", "'dua' is none of ipv6, ipv4, dual, dual-ipv6 (did you mean 'dual'?)"),
    ("stack", "dual-stack", "(did you mean 'dual'?)"),
    ("egress", "nat66", "(did you mean 'masquerade'?)"),
    ("stack", "xyz", "'xyz' is none of ipv6, ipv4, dual, dual-ipv6"),
    ("k3s-disable", "trafik", "is none of servicelb, traefik (did you mean 'traefik'?)"),
    ("allow", "all", "'all' is none of privileged"),
    ("allow", "cluster-scope", "'cluster-scope' is none of privileged"),
    ("external", "hermetic", "'hermetic' is none of auto, testbed, none"),
    ("external", "disruptive", "'disruptive' is none of auto, testbed, none"),
    ("profile", "nat64,foo", "'foo' is none of ipv6-only, dual-stack,"),
    ("profile", "load-balancer", "'load-balancer' is none of ipv6-only, dual-stack,"),
    ("workers", "many", "'many' is not a number"),
    ("workers", "0", "0 is not above 0 and below 10000"),
    ("workers", "-1", "-1 is not above 0"),
    ("max-nodes", "10000", "10000 is not above 0 and below 10000"),
    ("timeout-factor", "x", "'x' is not a number"),
    ("timeout-factor", "nan", "nan is not above 0"),
    ("timeout-factor", "inf", "inf is not above 0"),
    ("waive", "SVC-01", "'SVC-01' is not of the form ID=reason"),
    ("waive", "SVC-01= ", "is not of the form ID=reason"),
    ("waive", "=known", "is not of the form ID=reason"),
    ("node-selector", "x", "'x' is not of the form KEY=VALUE"),
    ("node-selector", "=x", "'=x' is not of the form KEY=VALUE"),
    ("toleration", "k:Sometimes", "is none of NoSchedule, NoExecute, PreferNoSchedule"),
    ("report", "no/such/folder/x.json", "the folder of 'no/such/folder/x.json' does not exist"),
    ("strict", "maybe", "'maybe' is neither true nor false"),
]


@pytest.mark.parametrize(("name", "text", "words"), BAD)
def test_a_bad_value_is_named_where_it_was_given(name: str, text: str, words: str) -> None:
    known = BY_NAME[name]
    listed = [text] if known.repeats else text

    with pytest.raises(ConfigError) as on_the_command_line:
        _resolve({known.ini: listed})
    with pytest.raises(ConfigError) as in_the_environment:
        _resolve(environment={known.variable: text})
    with pytest.raises(ConfigError) as in_the_ini_file:
        _resolve(ini={known.ini: listed})

    assert str(on_the_command_line.value).startswith(f"{known.flag}: ")
    assert str(in_the_environment.value).startswith(f"{known.variable}: ")
    assert str(in_the_ini_file.value).startswith(f"{known.ini}: ")
    assert words in str(on_the_command_line.value)
    assert f"See {known.flag} in --help" in str(on_the_command_line.value)


def test_a_bad_value_that_is_overruled_does_no_harm() -> None:
    assert _resolve({"ipv6k8s_stack": "dual"}, {"IPV6K8S_STACK": "no"}).cluster.stack is Stack.DUAL


def test_a_kubeconfig_alone_asks_for_the_cluster_that_exists() -> None:
    settings = _resolve(environment={"IPV6K8S_KUBECONFIG": "~/k"})

    assert settings.wants_cluster
    assert settings.provider_name == "existing"
    assert settings.cluster.kubeconfig == Path.home() / "k"
    assert not settings.asked_on_command_line


@pytest.mark.parametrize("option", ["ipv6k8s_kubeconfig", "ipv6k8s_provider"])
def test_asking_on_the_command_line_is_noticed(option: str) -> None:
    assert _resolve({option: "existing"}).asked_on_command_line


def test_nobody_asked_for_a_cluster() -> None:
    settings = _resolve({"ipv6k8s_stack": "dual"})

    assert not settings.wants_cluster
    assert not settings.asked_on_command_line


def test_a_kubeconfig_and_a_provider_that_makes_clusters_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="provider 'kind' makes one"):
        _resolve({"ipv6k8s_kubeconfig": "/k", "ipv6k8s_provider": "kind"})


OLD_NAMES = [
    ({"ipv6k8s_outside": "hermetic"}, {}, {}, "--ipv6k8s-outside is now --ipv6k8s-external."),
    ({}, {"IPV6K8S_OUTSIDE": "none"}, {}, "IPV6K8S_OUTSIDE is now IPV6K8S_EXTERNAL."),
    ({}, {}, {"ipv6k8s_outside": "auto"}, "ipv6k8s_outside is now ipv6k8s_external."),
    (
        {"ipv6k8s_outside_image": "i:1"},
        *({}, {}),
        "--ipv6k8s-outside-image is now --ipv6k8s-testbed-image.",
    ),
    (
        {},
        {"IPV6K8S_OUTSIDE_IMAGE": "i:1"},
        {},
        "IPV6K8S_OUTSIDE_IMAGE is now IPV6K8S_TESTBED_IMAGE.",
    ),
]


@pytest.mark.parametrize(("given", "environment", "ini", "words"), OLD_NAMES)
def test_an_old_name_is_refused_with_the_new_one(
    given: dict[str, Any], environment: dict[str, str], ini: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        _resolve(given, environment, ini)

    assert str(caught.value).startswith(words)


def test_a_stack_is_declared_when_somebody_named_one() -> None:
    assert _resolve().declared_stack is None
    assert _resolve().cluster.stack is Stack.IPV6
    assert _resolve({"ipv6k8s_stack": "ipv6"}).declared_stack is Stack.IPV6
