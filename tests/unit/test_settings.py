"""Where a setting comes from, which value wins, and what is said of a bad one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.addresses import Egress, Stack
from pytest_ipv6k8s.errors import ConfigError
from pytest_ipv6k8s.options import (
    OPTIONS,
    Allow,
    Dns64,
    External,
    K3sComponent,
    KubeProxy,
    Option,
    Waiver,
)
from pytest_ipv6k8s.settings import Settings, resolve

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
    "external": ("testbed", External.TESTBED),
    "testbed-image": ("o:1", "o:1"),
    "egress": ("nptv6", Egress.NPTV6),
    "dns64": ("coredns", Dns64.COREDNS),
    "pull-secret": ("ns/s", "ns/s"),
    "node-selector": ("a=b", (("a", "b"),)),
    "toleration": ("k=v:NoExecute", (TOLERATION,)),
    "allow": ("disruptive", (Allow.DISRUPTIVE,)),
    "timeout-factor": ("2.5", 2.5),
    "waive": ("SVC-01=known", (Waiver(id="SVC-01", reason="known"),)),
    "strict": ("yes", True),
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


def _value(settings: Settings, option: Option) -> Any:
    return getattr(settings, option.field)


def test_every_option_has_a_sample_and_a_field() -> None:
    assert set(SAMPLES) == set(BY_NAME)
    assert {option.field for option in OPTIONS} | {"sources"} == set(Settings.__slots__)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_the_table_and_the_settings_agree_on_the_default(option: Option) -> None:
    assert _value(_resolve(), option) == option.default
    assert _resolve().sources == {}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
@pytest.mark.parametrize("source", ["command line", "environment", "ini"])
def test_every_option_may_come_from_everywhere(option: Option, source: str) -> None:
    text, wanted = SAMPLES[option.name]
    listed = [text] if option.repeats else text

    if source == "command line":
        settings = _resolve({option.ini: True if option.is_flag else listed})
    elif source == "environment":
        settings = _resolve(environment={option.variable: text})
    else:
        settings = _resolve(ini={option.ini: listed})

    assert _value(settings, option) == wanted
    assert settings.sources == {option.field: source}


def test_the_command_line_wins_over_the_environment_over_the_ini_file() -> None:
    given = {"ipv6k8s_stack": "dual"}
    environment = {"IPV6K8S_STACK": "ipv4", "IPV6K8S_WORKERS": "2"}
    ini = {"ipv6k8s_stack": "ipv6", "ipv6k8s_workers": "3", "ipv6k8s_max_nodes": "4"}

    settings = _resolve(given, environment, ini)

    assert (settings.stack, settings.workers, settings.max_nodes) == (Stack.DUAL, 2, 4)
    assert settings.sources == {
        "stack": "command line",
        "workers": "environment",
        "max_nodes": "ini",
    }


@pytest.mark.parametrize("nothing", [None, "", [], False])
def test_what_is_empty_was_not_given(nothing: Any) -> None:
    settings = _resolve({"ipv6k8s_allow": nothing}, {"IPV6K8S_ALLOW": "privileged"})

    assert settings.allow == (Allow.PRIVILEGED,)


def test_a_higher_source_replaces_a_list_as_a_whole() -> None:
    settings = _resolve({"ipv6k8s_waive": ["A-01=x"]}, {"IPV6K8S_WAIVE": "B-01=y\nC-01=z"})

    assert [waiver.id for waiver in settings.waive] == ["A-01"]


def test_the_environment_can_switch_a_flag_of_the_ini_file_off() -> None:
    settings = _resolve(environment={"IPV6K8S_STRICT": "0"}, ini={"ipv6k8s_strict": "true"})

    assert settings.strict is False
    assert settings.sources == {"strict": "environment"}


@pytest.mark.parametrize("text", ["1", "true", "YES", "On"])
def test_a_flag_is_switched_on_by_any_usual_word(text: str) -> None:
    assert _resolve(environment={"IPV6K8S_KEEP": text}).keep is True


@pytest.mark.parametrize("text", ["0", "False", "no", "OFF"])
def test_a_flag_is_switched_off_by_any_usual_word(text: str) -> None:
    assert _resolve(environment={"IPV6K8S_KEEP": text}).keep is False


def test_values_in_the_environment_are_parted_by_commas() -> None:
    settings = _resolve(
        environment={
            "IPV6K8S_ALLOW": "privileged, disruptive",
            "IPV6K8S_NODE_SELECTOR": "a=b,c=",
            "IPV6K8S_TOLERATION": "dedicated,gpu=yes,spot:NoSchedule",
        }
    )

    assert settings.allow == (Allow.PRIVILEGED, Allow.DISRUPTIVE)
    assert settings.node_selector == (("a", "b"), ("c", ""))
    assert settings.toleration == (
        {"key": "dedicated", "operator": "Exists"},
        {"key": "gpu", "operator": "Equal", "value": "yes"},
        {"key": "spot", "operator": "Exists", "effect": "NoSchedule"},
    )


def test_waivers_are_parted_by_lines_for_their_reasons_hold_commas() -> None:
    settings = _resolve(environment={"IPV6K8S_WAIVE": "svc-01=known, see #7\n DNS-02 = a=b "})

    assert settings.waive == (
        Waiver(id="SVC-01", reason="known, see #7"),
        Waiver(id="DNS-02", reason="a=b"),
    )


@pytest.mark.parametrize(
    ("variable", "text"), [("IPV6K8S_WAIVE", "SVC-01=known\n"), ("IPV6K8S_ALLOW", "privileged,")]
)
def test_a_separator_at_the_end_adds_nothing(variable: str, text: str) -> None:
    settings = _resolve(environment={variable: text})

    assert len(settings.waive + settings.allow) == 1


BAD = [
    ("stack", "dua", "'dua' is none of ipv6, ipv4, dual, dual-ipv6 (did you mean 'dual'?)"),
    ("stack", "xyz", "'xyz' is none of ipv6, ipv4, dual, dual-ipv6"),
    ("k3s-disable", "trafik", "is none of servicelb, traefik (did you mean 'traefik'?)"),
    ("allow", "all", "'all' is none of privileged, cluster-scope, disruptive"),
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
    option = BY_NAME[name]
    listed = [text] if option.repeats else text

    with pytest.raises(ConfigError) as on_the_command_line:
        _resolve({option.ini: listed})
    with pytest.raises(ConfigError) as in_the_environment:
        _resolve(environment={option.variable: text})
    with pytest.raises(ConfigError) as in_the_ini_file:
        _resolve(ini={option.ini: listed})

    assert str(on_the_command_line.value).startswith(f"{option.flag}: ")
    assert str(in_the_environment.value).startswith(f"{option.variable}: ")
    assert str(in_the_ini_file.value).startswith(f"{option.ini}: ")
    assert words in str(on_the_command_line.value)
    assert f"See {option.flag} in --help" in str(on_the_command_line.value)


def test_a_bad_value_that_is_overruled_does_no_harm() -> None:
    assert _resolve({"ipv6k8s_stack": "dual"}, {"IPV6K8S_STACK": "no"}).stack is Stack.DUAL


def test_a_kubeconfig_alone_asks_for_the_cluster_that_exists() -> None:
    settings = _resolve(environment={"IPV6K8S_KUBECONFIG": "~/k"})

    assert settings.wants_cluster
    assert settings.provider_name == "existing"
    assert settings.kubeconfig == Path.home() / "k"
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
