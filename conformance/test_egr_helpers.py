"""EGR: the other ways to the IPv4 Internet: a web proxy, a registry cache."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

from pytest_ipv6k8s import (
    WITH_IPV6,
    Family,
    Feature,
    Inconclusive,
    Level,
    Record,
    check,
    expect_all,
)
from pytest_ipv6k8s.agent.ops import http_proxy, registry_pull
from pytest_ipv6k8s.suite import ExternalTargets, Probes
from pytest_ipv6k8s.suite.liveness import expect_served, hosts_with_ipv6

REFUSED_PORT = 25  # mail; a web proxy that lets everybody through to it is an open relay
egr = partial(check, level=Level.EXTENDED, stacks=WITH_IPV6)
IMAGE, NO_TAG = "ipv6k8s/hello", "no-such-tag"


def _is_whole(record: Record[registry_pull.Answer]) -> bool:
    answer = record.answer
    return answer.status == 200 and answer.verified >= 2 and not answer.mismatched


@egr(
    "EGR-19",
    rests_partly_on=["DNS-01", "EGR-01"],
    features=[Feature.PROXY, Feature.IPV4_TARGET_HTTP, Feature.EGRESS],
    references=["RFC 9110 section 9.3.6", "RFC 6586 section 5"],
    causes=[
        "the proxy listens on IPv4 only, or its name has no AAAA record",
        "the proxy admits the nodes' range and not the pods', or the reverse with native egress",
        "the proxy itself has no IPv4 route",
    ],
    look="env http_proxy=http://PROXY wget -S -O - http://IPV4-TARGET/ (in a pod)",
)
def test_the_proxy_leads_to_ipv4_only_servers(probes: Probes, external: ExternalTargets) -> None:
    """Pods reach an IPv4-only web server through the declared proxy, which they reach over IPv6."""
    proxy, target = urlsplit(external.network.proxy), external.target("v4")
    host, port = proxy.hostname or "", proxy.port or 80
    address = external.address("v4", Family.V4)
    request = http_proxy.Request(host, port, address, target.http)

    records = probes.from_every_node(request)
    refused = probes[0].ask(http_proxy.Request(host, port, address, REFUSED_PORT))

    expect_served(
        hosts_with_ipv6(external)[:1],
        request,
        records,
        lambda r: r.answer.status == 200,
        expected="a page through the proxy on every node",
    )
    if target.identifies:
        expect_all(
            records,
            lambda r: r.answer.pod == "target-v4",
            expected="the page of the IPv4-only target",
        )
    if refused.answer.granted < 400:
        raise Inconclusive(f"the proxy does not refuse a tunnel to port {REFUSED_PORT}: {refused}")


@egr(
    "EGR-20",
    rests_partly_on=["DNS-01", "EGR-01"],
    features=[Feature.REGISTRY, Feature.EGRESS],
    references=["OCI distribution specification: pulling manifests, pulling blobs"],
    causes=[
        "the cache listens on IPv4 only, or its name has no AAAA record",
        "the cache itself cannot reach the registry behind it",
        "large answers are lost on the way: path MTU (MTU-07)",
    ],
    look="wget -S -O - REGISTRY/v2/ipv6k8s/hello/manifests/latest (in a pod)",
)
def test_images_are_pulled_through_the_cache(probes: Probes, external: ExternalTargets) -> None:
    """Pods pull an image through the registry cache over IPv6, and every digest is right.

    The image is ipv6k8s/hello:latest; of a tag that is not there the cache has to say so.
    """
    url = external.network.registry
    request = registry_pull.Request(url, IMAGE)

    records = probes.from_every_node(request)
    missing = probes[0].ask(registry_pull.Request(url, IMAGE, reference=NO_TAG))

    expected = "manifest, configuration and layers, digests right"
    expect_served(hosts_with_ipv6(external)[:1], request, records, _is_whole, expected=expected)
    if missing.answer.status != 404:
        raise Inconclusive(f"the cache knows a tag that is not there: {missing}")
