"""NetworkPolicy: what the API server refuses, and that what it refuses has no effect."""

from __future__ import annotations

from pytest_ipv6k8s import WITH_IPV6, Family, check, expect
from pytest_ipv6k8s.netpol.sandbox import NAME_LABEL
from pytest_ipv6k8s.netpol.truth_table import expect_table, require_reachable, tcp
from pytest_ipv6k8s.suite import PolicySandbox

INSIDE, OUTSIDE, OTHER = "2001:db8::/64", "2001:db8::/32", "192.0.2.0/24"
SUBSET, VALID = "strict subset of `cidr`", "valid CIDR"
BEYOND = "must not have bits set beyond the prefix length"


def _said(record) -> str:
    answer = record.answer
    if answer.accepted:
        return f"{record.path}: accepted as {answer.object.get('spec')}"
    return f"{record.path}: refused with {answer.code}: {answer.message}"


def _policy(sandbox: PolicySandbox, name: str, cidr: str, *holes: str):
    """Return a policy that lets the friend send to a block alone."""
    block = {"cidr": cidr, "except": list(holes)} if holes else {"cidr": cidr}
    rule = {"to": [{"ipBlock": block}]}
    return sandbox.policy(name, pods={NAME_LABEL: sandbox.allowed.name}, egress=[rule])


def _expect_refused(record, field: str, words: str) -> None:
    expect(
        any(
            cause.field.startswith("spec.egress[0].to[0].ipBlock." + field)
            and words in cause.message
            for cause in record.answer.causes
        ),
        expected=f"ipBlock.{field}: {words}",
        actual=record,
        say=_said,
    )


@check(
    "POL-13",
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
    sandbox.require_no_policy()
    require_reachable(flows)

    for cidr, hole in (
        (OUTSIDE, OTHER),
        ("0.0.0.0/0", INSIDE),
        (INSIDE, OUTSIDE),
        (INSIDE, INSIDE),
    ):
        said = sandbox.put(_policy(sandbox, "POL-13-dry", cidr, hole), dry_run=True)
        _expect_refused(said, "except[0]", SUBSET)
    for cidr in ("2001:db8::/129", "2001:db8::", "fe80::%eth0/64"):
        said = sandbox.put(_policy(sandbox, "POL-13-dry", cidr), dry_run=True)
        _expect_refused(said, "cidr", VALID)
    _expect_kept(sandbox.put(_policy(sandbox, "POL-13-dry", OUTSIDE, INSIDE), dry_run=True))
    _expect_refused_or_kept(
        sandbox.put(_policy(sandbox, "POL-13-dry", "2001:db8::1/64"), dry_run=True)
    )
    _expect_no_effect(sandbox, flows)


def _expect_kept(record) -> None:
    """Expect that a block which makes sense is taken as it was written."""
    written, taken = record.question["spec"]["egress"], record.answer.object.get("spec", {})
    expect(
        record.answer.accepted and taken.get("egress") == written,
        expected=f"accepted as it was written: {written}",
        actual=record,
        say=_said,
    )


def _expect_refused_or_kept(record) -> None:
    if record.answer.accepted:
        _expect_kept(record)
    else:
        _expect_refused(record, "cidr", BEYOND)


def _expect_no_effect(sandbox: PolicySandbox, flows) -> None:
    """Expect that a refused policy leaves neither an object nor a trace in the data plane."""
    body = _policy(sandbox, "POL-13-refused", OUTSIDE, OTHER)
    try:
        _expect_refused(sandbox.put(body), "except[0]", SUBSET)
        left = sandbox.names(sandbox.namespace)
        expect(not left, expected="no policy is left of a refused one", actual=left)
        expect_table(flows)
    finally:
        sandbox.take_away(body)
