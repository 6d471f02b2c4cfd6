"""NetworkPolicy: what the API server refuses, and that what it refuses has no effect."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pytest_ipv6k8s import WITH_IPV6, Family, Record, check, expect
from pytest_ipv6k8s.netpol.policies import Policy
from pytest_ipv6k8s.netpol.sandbox import NAME_LABEL
from pytest_ipv6k8s.netpol.truth_table import Flow, expect_table, require_reachable, tcp
from pytest_ipv6k8s.suite import Outcome, PolicySandbox
from pytest_ipv6k8s.suite.admission import describe, expect_refused

INSIDE, OUTSIDE, OTHER = "2001:db8::/64", "2001:db8::/32", "192.0.2.0/24"
SUBSET, VALID = "strict subset of `cidr`", "valid CIDR"
BLOCK = "spec.egress[0].to[0].ipBlock"
BEYOND = "must not have bits set beyond the prefix length"


def _policy(sandbox: PolicySandbox, name: str, cidr: str, *holes: str) -> Policy:
    """Return a policy that lets the allowed client send to a block alone."""
    block = {"cidr": cidr, "except": list(holes)} if holes else {"cidr": cidr}
    pods = {NAME_LABEL: sandbox.allowed.name}
    return sandbox.policies.new(name, pods=pods, egress=[{"to": [{"ipBlock": block}]}])


def _validated(sandbox: PolicySandbox, cidr: str, *holes: str) -> Record[Outcome]:
    return sandbox.policies.validate(_policy(sandbox, "POL-13-dry", cidr, *holes))


@check(
    "POL-13",
    rests_on=["POL-00"],
    stacks=WITH_IPV6,
    references=[
        "Kubernetes API documentation: NetworkPolicy v1, IPBlock",
        "KEP-4858: stricter validation",
        "rancher/k3k: #1143",
    ],
    causes=[
        "an admission webhook or policy repairs or rewrites blocks before they are validated: what "
        "is enforced is not what was written",
        "the API server is not Kubernetes' own, or checks `except` against no family",
    ],
    look="kubectl create --dry-run=server -o yaml -f policy.yaml; "
    "kubectl get mutatingwebhookconfigurations,mutatingadmissionpolicies",
)
def test_blocks_that_make_no_sense_are_refused_and_isolate_nobody(sandbox: PolicySandbox) -> None:
    """An ipBlock with an `except` of the other family, or not inside it, is refused altogether.

    A refused policy isolates nobody: whoever wrote it has to see the refusal. So one is really
    sent, and the pods that it would have isolated are asked. An address with bits beyond its
    prefix length is refused since Kubernetes 1.36 (StrictIPCIDRValidation) and was taken before;
    either way it must not be taken for another block.
    """
    flows = tcp([sandbox.allowed], sandbox.servers, Family.V6, opens=True)
    sandbox.policies.require_none()
    require_reachable(sandbox, flows)

    for cidr, hole in (
        (OUTSIDE, OTHER),
        ("0.0.0.0/0", INSIDE),
        (INSIDE, OUTSIDE),
        (INSIDE, INSIDE),
    ):
        expect_refused(_validated(sandbox, cidr, hole), SUBSET, field=f"{BLOCK}.except[0]")
    for cidr in ("2001:db8::/129", "2001:db8::", "fe80::%eth0/64"):
        expect_refused(_validated(sandbox, cidr), VALID, field=f"{BLOCK}.cidr")
    _expect_kept(_validated(sandbox, OUTSIDE, INSIDE))
    loose = _validated(sandbox, "2001:db8::1/64")
    if loose.answer.accepted:
        _expect_kept(loose)
    else:
        expect_refused(loose, BEYOND, field=f"{BLOCK}.cidr")
    _expect_no_effect(sandbox, flows)


def _expect_kept(record: Record[Outcome]) -> None:
    """Expect that a block which makes sense is taken as it was written."""
    written, taken = record.request["spec"]["egress"], record.answer.object.get("spec", {})
    expect(
        record.answer.accepted and taken.get("egress") == written,
        expected=f"accepted as it was written: {json.dumps(written)}",
        actual=record,
        say=describe,
    )


def _expect_no_effect(sandbox: PolicySandbox, flows: Sequence[Flow]) -> None:
    """Expect that a refused policy leaves neither an object nor a trace in the data plane."""
    policies = sandbox.policies
    body = _policy(sandbox, "POL-13-refused", OUTSIDE, OTHER)
    try:
        expect_refused(policies.create(body), SUBSET, field=f"{BLOCK}.except[0]")
        left = policies.names(policies.namespace)
        expect(not left, expected="no policy is left of a refused one", actual=left)
        expect_table(sandbox, flows)
    finally:
        policies.delete(body)
