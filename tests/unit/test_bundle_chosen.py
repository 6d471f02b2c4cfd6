"""Bundles keep by list: what a diagnosis uses of other people's pods and settings, nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_ipv6k8s.bundle.chosen import chosen
from pytest_ipv6k8s.bundle.configs import safe_config
from pytest_ipv6k8s.masking import REDACTED, redact, redact_text

VARIABLES = (
    *("DB_PASS", "DSN", "JWT", "COOKIE", "PSK", "AUTH", "SALT", "ENCRYPTION_KEY", "SSH_KEY"),
    *("GITHUB_PAT", "SLACK_WEBHOOK", "COOKIE_SALT", "GREETING", "LICENCE", "x"),
)
ARGUMENTS = ("-p", "hunter2", "--db-pass=hunter2", "-u", "me:hunter2", "hunter2", "--words=hunter2")
FOREIGN = {
    "metadata": {
        "name": "shop-1",
        "namespace": "default",
        "labels": {"app": "shop"},
        "annotations": {"vault/note": "hunter2", "cni.projectcalico.org/podIP": "fd00::7/128"},
        "managedFields": ["hunter2"],
    },
    "spec": {
        "nodeName": "a",
        "dnsPolicy": "ClusterFirst",
        "containers": [
            {
                "name": "shop",
                "image": "registry.example/shop:1",
                "command": ["sh", "-c", "curl -u me:hunter2 https://x"],
                "args": list(ARGUMENTS),
                "env": [{"name": name, "value": "hunter2"} for name in VARIABLES]
                + [{"name": "FROM", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "X", "value": "hunter2"}]}},
                "lifecycle": {"preStop": {"exec": {"command": ["hunter2"]}}},
            }
        ],
        "volumes": [{"name": "v", "csi": {"volumeAttributes": {"x": "hunter2"}}}],
        "imagePullSecrets": [{"name": "hunter2"}],
    },
    "status": {
        "phase": "Running",
        "podIPs": [{"ip": "fd00::7"}],
        "containerStatuses": [
            {
                "name": "shop",
                "ready": False,
                "lastState": {"terminated": {"exitCode": 1, "message": "hunter2"}},
            }
        ],
    },
}


def test_of_a_foreign_pod_nothing_is_kept_that_it_is_told() -> None:
    found = chosen("pods", FOREIGN)

    assert "hunter2" not in json.dumps(found)
    container = found["spec"]["containers"][0]
    assert [variable["name"] for variable in container["env"]] == [*VARIABLES, "FROM"]
    assert found["spec"]["nodeName"] == "a"
    assert found["status"]["podIPs"] == [{"ip": "fd00::7"}]
    assert found["metadata"]["annotations"] == {"cni.projectcalico.org/podIP": "fd00::7/128"}
    assert found["status"]["containerStatuses"][0]["lastState"] == {"terminated": {"exitCode": 1}}


NETWORK = (
    *("--cluster-cidr=fd00:10:244::/56,10.244.0.0/16", "--proxy-mode=nftables", "--v=2"),
    *("--service-cluster-ip-range=fd00:10:96::/112", "--bind-address=::", "--ip-masq"),
    *("--node-cidr-mask-size-ipv6=64", "--config=/var/lib/kube-proxy/config.conf"),
    *("--feature-gates=DualStack=true", "--advertise-address=[fd00::2]:6443"),
)
SETTINGS = {
    "IP6": "autodetect",
    "CALICO_IPV6POOL_CIDR": "fd00:10:244::/56",
    "FELIX_IPV6SUPPORT": "true",
    "IP6_AUTODETECTION_METHOD": "kubernetes-internal-ip",
    "KUBERNETES_SERVICE_HOST": "fd00:10:96::1",
    "CILIUM_K8S_NAMESPACE": "true",
}


def test_what_components_of_the_network_are_told_about_it_is_kept() -> None:
    told = {
        "name": "agent",
        "args": list(NETWORK),
        "env": [{"name": name, "value": value} for name, value in SETTINGS.items()],
    }

    found = redact(chosen("pods", {"metadata": {}, "spec": {"containers": [told]}}), longest=None)

    assert found["spec"]["containers"][0] == told


COREFILE = """\
.:53 {
    errors
    health {
        lameduck 5s
    }
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    hosts /etc/coredns/NodeHosts {
        fd00::2 node-a
        fallthrough
    }
    prometheus :9153
    forward . [2001:db8::53]:53 /etc/resolv.conf {
        max_concurrent 1000
    }
    cache 30
    dns64 64:ff9b::/96
    loadbalance
}
corp.example:53 {
    forward . tls://[2001:db8::54] {
        tls_servername dns.example
    }
}
"""
SECRET_PLUGINS = """\
.:53 {
    route53 example.org.:Z1 {
        aws_access_key hunter2 hunter2
        fallthrough
    }
    etcd example.org {
        credentials root hunter2
    }
    tsig {
        secret name. hunter2
    }
    azure g:example.org {
        client hunter2
    }
    mysql hunter2
    # password hunter2
    template IN TXT {
        answer "x
hunter2"
    }
    forward . 2001:db8::53
}
"""


def test_a_corefile_is_kept_but_for_plugins_with_credentials() -> None:
    assert redact_text(safe_config("Corefile", COREFILE)) == COREFILE

    found = safe_config("corp.server", SECRET_PLUGINS)

    assert "hunter2" not in found
    for line in (f"route53 {REDACTED} {{", f"mysql {REDACTED}", "forward . 2001:db8::53"):
        assert f"    {line}\n" in found
    assert found.count("{") == found.count("}")


CONFIGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "net-conf.json": (
        '{"Network": "10.244.0.0/16", "IPv6Network": "fd00::/56", "EnableIPv6": true,'
        ' "Backend": {"Type": "ipsec", "PSK": "hunter2", "Words": "hunter2"}}',
        ("10.244.0.0/16", "fd00::/56", "Type: ipsec", "EnableIPv6: true"),
    ),
    "cni_network_config": (
        '{"plugins": [{"type": "calico", "mtu": __CNI_MTU__, "etcd_key": "hunter2",'
        ' "policy": {"k8s_auth_token": "hunter2"}}]}',
        ("type: calico", "__CNI_MTU__"),
    ),
    "config.conf": (
        "mode: nftables\nclusterCIDR: fd00::/56\nclientConnection:\n  note: hunter2 hunter2\n",
        ("mode: nftables", "clusterCIDR: fd00::/56"),
    ),
    "ovn.conf": (
        "[kubernetes]\nservice-cidrs=fd00:10:96::/112\npassword=hunter2\nwords hunter2\n",
        ("[kubernetes]", "service-cidrs=fd00:10:96::/112"),
    ),
    "NodeHosts": ("fd00::2 node-a\n192.0.2.1 node-b\nhunter2\n", ("fd00::2 node-a",)),
    "kvstore-opt": ("hunter2", ()),
    "enable-ipv6": ("true", ("true",)),
    "routing-mode": ("tunnel", ("tunnel",)),
    "ipv6-native-routing-cidr": ("fd00::/48", ("fd00::/48",)),
    "token": ("mode: hunter2", ()),
}


@pytest.mark.parametrize("key", CONFIGS)
def test_of_settings_the_facts_of_the_network_are_kept(key: str) -> None:
    text, facts = CONFIGS[key]

    found = safe_config(key, text)

    assert "hunter2" not in found
    for fact in facts:
        assert fact in found


@pytest.mark.parametrize("odd", ["", "a: &b [*b, *b]", "{", "\x00", "- " * 2000, "[" * 5000])
def test_settings_that_are_none_of_these_break_nothing(odd: str) -> None:
    for key in ("Corefile", "x.json", "y"):
        safe_config(key, odd)


OTHERS: dict[str, dict[str, Any]] = {
    "events": {"reason": "Failed", "message": "Back-off pulling", "metadata": {"name": "e"}},
    "nodes": {"spec": {"podCIDRs": ["fd00::/64"]}, "status": {"nodeInfo": {"kernelVersion": "6"}}},
    "services": {"spec": {"clusterIPs": ["fd00::a"], "ports": [{"port": 53}]}},
    "endpointslices": {"addressType": "IPv6", "endpoints": [{"addresses": ["fd00::9"]}]},
    "networkpolicies": {"spec": {"podSelector": {}, "policyTypes": ["Egress"]}},
}


@pytest.mark.parametrize("kind", OTHERS)
def test_of_other_objects_what_a_diagnosis_uses_is_kept(kind: str) -> None:
    assert chosen(kind, {**OTHERS[kind], "managedFields": ["hunter2"]}) == OTHERS[kind]
