"""TLS as the clients in a cluster do it: what client-go trusts, and nothing that it refuses."""

from __future__ import annotations

import ssl
from typing import Optional

# Since 3.10 in ``ssl``; the number is OpenSSL's.
_PARTIAL_CHAIN = 0x80000


def client_context(ca_file: Optional[str] = None) -> ssl.SSLContext:
    """Return a context that verifies chain, expiry and name; without a CA, by the system's.

    Not the structure of certificates: Python refuses those without key identifiers since 3.13
    (``VERIFY_X509_STRICT``), which EKS, older kubeadm and K3s issue (kubernetes-client/python
    issue 2394). As in Go, a trusted certificate need not be a root, and a common name is no name.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.verify_flags = ssl.VerifyFlags(
        (context.verify_flags & ~ssl.VERIFY_X509_STRICT) | _PARTIAL_CHAIN
    )
    context.hostname_checks_common_name = False
    return context
