"""Access to the broker that the settings name: address, login and TLS, as ingest, the live check and the simulator use them."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from domain.errors import SettingsError
from domain.ports import Clock
from ingest.link import Broker
from ingest.probe import Login, Probe
from lanbi.broker import EMBEDDED, HOST, port_of
from lanbi.broker_files import logins, probe_file
from lanbi.settings import Settings
from lanbi.settings_sections import BrokerSettings

TLS_PORT: Final = 8883
HERE: Final = ("127.", "localhost", "::1")
"""How the host of a broker on this machine begins."""


def broker_of(settings: Settings) -> Broker:
    """Address and login of ingest; the client id is the user name, because the broker binds one to the other.

    Raises
    ------
    SettingsError
        A file of the password or of TLS cannot be used.
    """
    chosen = settings.broker
    host, port = address_of(chosen.url)
    name = chosen.client_id or chosen.username
    return Broker(host, port, name, chosen.username, password_of(chosen.password_file), tls_of(chosen), chosen.keepalive, chosen.queue_bytes)


def probe_of(settings: Settings, clock: Clock) -> Probe:
    """The self-test of the broker; its login lies in the secrets folder once ``lanbi broker passwd --ingest`` has made one."""
    password = password_of(probe_file(settings))
    return Probe(broker_of(settings), Login(logins(settings).probe, password) if password else None, clock)


def address_of(url: str) -> tuple[str, int]:
    """Host and port of the broker's address in the settings."""
    parts = urlsplit(url)
    if url == EMBEDDED:
        return HOST, port_of(url)
    return parts.hostname or HOST, parts.port or (TLS_PORT if parts.scheme == "mqtts" else port_of(url))


def password_of(path: Path | None) -> str | None:
    """The password of a file; None if there is no such file, for a broker that asks for none."""
    if path is None or not path.exists():
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        what = f"the broker's password cannot be read: {error.strerror}"
        raise SettingsError(what, str(path), "check broker.password_file and its permissions") from error


def tls_of(chosen: BrokerSettings, *, identify: bool = True) -> ssl.SSLContext | None:
    """How to trust the broker and, with ``identify``, how to prove who we are; None if the address is not ``mqtts://``.

    The broker's certificate is always checked, its host name too.
    """
    if not chosen.url.startswith("mqtts:"):
        return None
    try:
        context = ssl.create_default_context(cafile=_pem(chosen.ca_file, "broker.ca_file", "the certificate of whoever signs the broker's"))
    except ssl.SSLError as error:
        what = f"the certificate cannot be used: {_words(error)}"
        raise SettingsError(what, f"broker.ca_file = {chosen.ca_file}", "name the certificate of whoever signs the broker's, as PEM") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if identify and chosen.cert_file:
        certificate, key = _pem(chosen.cert_file, "broker.cert_file", "our certificate"), _pem(chosen.key_file, "broker.key_file", "its key")
        try:
            context.load_cert_chain(str(certificate), key, password=_no_phrase)
        except (ssl.SSLError, OSError, ValueError) as error:
            what = f"certificate and key cannot be used: {_words(error)}"
            raise SettingsError(what, "broker.cert_file, broker.key_file", "they must be PEM, belong together and need no pass phrase") from error
    return context


def _pem(path: Path | None, key: str, wanted: str) -> str | None:
    """The path, if one is named, and it holds PEM."""
    if path is None:
        return None
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise SettingsError(f"the file cannot be read: {error.strerror}", f"{key} = {path}", f"name {wanted}, as PEM") from error
    if "-----BEGIN " not in text:
        raise SettingsError("the file holds no PEM", f"{key} = {path}", f"name {wanted}, as PEM")
    return str(path)


def _no_phrase() -> str:
    # Without this, OpenSSL would ask on the terminal of whoever started the service, and wait.
    raise ValueError("the key has a pass phrase")


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return str(error)
