"""Mail: the only file that speaks SMTP. One text to one address, taken by the server or an error in words."""

from __future__ import annotations

import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Final
from urllib.parse import urlsplit

from domain.civil import SHANGHAI
from domain.errors import ServiceError, SettingsError, WorkError
from lanbi.secret import read_secret
from lanbi.settings_sections import MailSettings

TIMEOUT_S: Final = 20.0
PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
TODO: Final = "check mail.url, mail.username and mail.password_file; seals wait and are sent again"


def send(chosen: MailSettings, to: str, subject: str, text: str, now_s: int) -> str:
    """Hand a mail to the server; returns its message id.

    Parameters
    ----------
    now_s : int [s since 1970 UTC]
        Date of the mail.

    Raises
    ------
    ServiceError
        The mail server cannot be reached or does not answer in time.
    WorkError
        It refused login, sender, address or text.
    SettingsError
        A file of password or certificate cannot be used.
    """
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = chosen.sender, to, subject
    mail["Date"] = format_datetime(datetime.fromtimestamp(now_s, SHANGHAI))
    mail["Message-ID"] = make_msgid(domain=chosen.sender.rpartition("@")[2])
    mail.set_content(text, cte="8bit")
    where = f"{chosen.url} → {to}"
    try:
        with _connected(chosen) as server:
            server.send_message(mail)
    except smtplib.SMTPServerDisconnected as error:
        raise ServiceError(f"the mail server hung up: {error}", where, TODO) from error
    except smtplib.SMTPException as error:
        raise WorkError(f"the mail server refused: {_words(error)}", where, TODO) from error
    except OSError as error:  # also time-outs and TLS
        raise ServiceError(f"the mail server cannot be used: {error.strerror or error}", where, TODO) from error
    return str(mail["Message-ID"])


def _connected(chosen: MailSettings) -> smtplib.SMTP:
    parts = urlsplit(chosen.url)
    host, port = parts.hostname or "127.0.0.1", parts.port or PORTS[parts.scheme]
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=_trust(chosen))
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    try:
        if parts.scheme == "smtp+starttls":
            server.starttls(context=_trust(chosen))
        if chosen.username:
            password = read_secret(chosen.password_file, "mail.password_file").reveal() if chosen.password_file else ""
            server.login(chosen.username, password)
    except BaseException:
        server.close()
        raise
    return server


def _trust(chosen: MailSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=chosen.ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise SettingsError("the file of the certificate cannot be used", "mail.ca_file", "name a PEM file, or leave the key out") from error


def _words(error: smtplib.SMTPException) -> str:
    """What the server said: its code and words, whatever kind of refusal it is."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else str(error.smtp_error)
        return f"{error.smtp_code} {said}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(f"{code} {said.decode(errors='replace')}" for code, said in error.recipients.values())
    return str(error)
