"""Certificates that trustme does not issue: without key identifiers, or without names."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_NOW = datetime.datetime.now(datetime.timezone.utc)
_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A certificate with its key; configures a server as trustme's do."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    folder: Path

    def write(self) -> tuple[Path, Path]:
        """Write the certificate and its key, and return where they are."""
        certificate = self.folder / f"{self.certificate.serial_number}.pem"
        certificate.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        secret = certificate.with_suffix(".key")
        secret.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, secret

    def configure_cert(self, context: ssl.SSLContext) -> None:
        """Let a server have the certificate."""
        context.load_cert_chain(*self.write())


def plain(
    folder: Path, name: str, *, issuer: Signed | None = None, addresses: tuple[str, ...] = ()
) -> Signed:
    """Sign a certificate as EKS does, without key identifiers; one without issuer is a CA's."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer.certificate.subject if issuer else subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=_NOW - _DAY,
        not_valid_after=_NOW + _DAY,
    ).add_extension(x509.BasicConstraints(ca=not addresses, path_length=None), critical=True)
    if addresses:
        names = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signed = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    return Signed(key=key, certificate=signed, folder=folder)
