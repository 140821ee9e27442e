"""Certificates: the self-signed one, made once and kept in the home; and what any says about itself."""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .server import Tls

_YEARS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a certificate says about itself."""

    names: tuple[str, ...]
    """host names and addresses, as written"""
    begins: datetime.datetime
    ends: datetime.datetime
    self_signed: bool
    key_fits: bool

    def speaks_for(self, host: str) -> bool:
        """Whether a client that asks for this host accepts it."""
        host = host.lower().rstrip(".")
        above = host.partition(".")[2]
        return any(name.lower() in (host, f"*.{above}" if above else host) for name in self.names)


def facts(cert: Path, key: Path) -> Facts:
    """Raises OSError, ValueError where one of them cannot be read."""
    loaded = x509.load_pem_x509_certificates(cert.read_bytes())[0]
    secret = serialization.load_pem_private_key(key.read_bytes(), password=None)
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return Facts(
        names=_names_of(loaded),
        begins=loaded.not_valid_before_utc,
        ends=loaded.not_valid_after_utc,
        self_signed=loaded.issuer == loaded.subject,
        key_fits=secret.public_key().public_bytes(*form) == loaded.public_key().public_bytes(*form),
    )


def _names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (
        *found.get_values_for_type(x509.DNSName),
        *map(str, found.get_values_for_type(x509.IPAddress)),
    )


def self_signed(folder: Path, host: str) -> Tls:
    """The certificate in `folder`, made where there is none."""
    folder.mkdir(mode=0o700, exist_ok=True)
    cert, key = folder / "self-signed.crt", folder / "self-signed.key"
    if not (cert.exists() and key.exists()):
        _make(cert, key, host)
    loaded = x509.load_pem_x509_certificate(cert.read_bytes())
    return Tls(cert, key, loaded.fingerprint(hashes.SHA256()).hex())


def _make(cert: Path, key: Path, host: str) -> None:
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stagedoor")])
    now = datetime.datetime.now(datetime.timezone.utc)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * _YEARS))
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(secret, hashes.SHA256())
    )
    pem = secret.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
    cert.write_bytes(signed.public_bytes(serialization.Encoding.PEM))


def _names(host: str) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.DNSName(socket.gethostname())]
    for address in {host, "127.0.0.1", "::1"}:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(address)))
        except ValueError:
            if address != "localhost":
                found.append(x509.DNSName(address))
    return found
