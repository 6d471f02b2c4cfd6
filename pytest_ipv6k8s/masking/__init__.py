"""No secret leaves the process: what we hold is masked by value, what we meet by rules."""

from pytest_ipv6k8s.masking.controls import cleaned, one_line
from pytest_ipv6k8s.masking.held import (
    REDACTED,
    hold,
    hold_environment,
    hold_named,
    hold_url,
    masked,
)
from pytest_ipv6k8s.masking.streams import MaskedStream
from pytest_ipv6k8s.masking.structures import LONGEST_TEXT, masked_in, redact
from pytest_ipv6k8s.masking.texts import redact_text, without_secrets

__all__ = [
    "LONGEST_TEXT",
    "REDACTED",
    "MaskedStream",
    "cleaned",
    "hold",
    "hold_environment",
    "hold_named",
    "hold_url",
    "masked",
    "masked_in",
    "one_line",
    "redact",
    "redact_text",
    "without_secrets",
]
