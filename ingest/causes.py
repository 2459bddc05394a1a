"""Why a broker cannot be used, in plain words: Chinese first, English beside. Pure."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Mapping
from typing import Final

_CERTIFICATE: Final[Mapping[int, str]] = {
    9: "证书尚未生效（先核对系统时间）the broker's certificate is not valid yet; check the clock first",
    10: "证书已过期 the broker's certificate has expired",
    18: "证书是自签名的，不在 broker.ca_file 中 the broker's certificate is self-signed and not in broker.ca_file",
    19: "证书链中有不受信任的自签名根证书 the broker's certificate comes from a root that is not in broker.ca_file",
    20: "证书的签发者不受信任 the broker's certificate was issued by somebody who is not in broker.ca_file",
    62: "证书不是给这个主机名的 the broker's certificate is for another host name",
    64: "证书不是给这个地址的 the broker's certificate is for another address",
}
"""By OpenSSL's verification code."""
_ALERTS: Final = (
    ("CERTIFICATE_REQUIRED", "服务器要求客户端证书 the broker wants a client certificate: set broker.cert_file and broker.key_file"),
    ("HANDSHAKE_FAILURE", "服务器拒绝握手，可能要求客户端证书 the broker refused the handshake; it may want a client certificate (broker.cert_file)"),
    ("UNKNOWN_CA", "服务器不信任我们的证书 the broker does not trust our certificate (broker.cert_file)"),
    ("BAD_CERTIFICATE", "服务器不接受我们的证书 the broker does not accept our certificate (broker.cert_file)"),
    ("CERTIFICATE_EXPIRED", "我们的证书已过期 our certificate has expired (broker.cert_file)"),
    ("CERTIFICATE_REVOKED", "我们的证书已被吊销 our certificate was revoked (broker.cert_file)"),
    ("WRONG_VERSION_NUMBER", "该端口不使用 TLS the port speaks no TLS: check broker.url"),
    ("RECORD_LAYER_FAILURE", "该端口不使用 TLS the port speaks no TLS: check broker.url"),
)
"""By words of OpenSSL's message."""
_NETWORK: Final[Mapping[int, str]] = {
    errno.ECONNREFUSED: "连接被拒绝，无人监听 connection refused, nobody listens there",
    errno.ECONNRESET: "连接被对方切断 the other side cut the connection",
    errno.ENETUNREACH: "网络不通 the network cannot be reached",
    errno.EHOSTUNREACH: "主机不可达 the host cannot be reached",
    errno.ETIMEDOUT: "没有应答 no answer",
    errno.EPIPE: "连接被对方切断 the other side cut the connection",
}
_REFUSALS: Final[Mapping[int, str]] = {
    0x84: "服务器不支持此协议版本 the broker does not speak MQTT 3.1.1",
    0x85: "客户端标识不被接受 the client id is not accepted (broker.client_id, broker.keepalive)",
    0x86: "用户名或密码错误 wrong user name or password (broker.username, broker.password_file)",
    0x87: "未授权：用户名或密码错误，或无权登录 not authorised: wrong user name or password, or not admitted (broker.username, broker.password_file)",
    0x88: "服务器暂不可用 the broker is not available now",
    0x8A: "已被服务器禁止 banned by the broker",
}
"""By MQTT 5 reason code; the client library maps the old codes to these."""

SILENT: Final = "对方不应答（半开连接）nothing came for {seconds:.0f} s: the link is dead"
DEAF: Final = "接通但不应答 MQTT 登录 it takes the connection but answers no MQTT login"
EARLY: Final = "登录前被对方断开，可能是 TLS 端口 closed before the login was answered; is it a TLS port (mqtts://)?"
CUT: Final = "TLS 握手时被切断，可能不是 TLS 端口 cut off in the TLS handshake; is it a plain port (mqtt://)?"
PAUSED: Final = "日志无法写入期间不读取 nothing is read while the journal cannot be written"
TWIN: Final = "反复被断开，可能另有客户端使用同一标识 cut off again and again; another client may use the same client id"
UNKEPT: Final = "一条消息未能取下，重新连接以再取 a message could not be taken, connecting anew to get it again"
SUBSCRIBE: Final = "订阅被拒绝 the broker refused the subscription: look at its access list (lanbi broker acl)"


def of_error(error: BaseException, *, tls: bool = False) -> str:
    """Plain words for what went wrong on the way to a broker; the library's own words where none are known."""
    if tls and isinstance(error, (ConnectionResetError, ssl.SSLEOFError)):
        return CUT
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE.get(error.verify_code, f"证书不可信 the broker's certificate is not trusted: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return _of_alert(str(error)) or f"TLS 失败 TLS failed: {error.reason or error}"
    return _of_network(error) or f"{type(error).__name__}: {error}"


def _of_network(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        return "主机名无法解析 no such host name"
    if isinstance(error, TimeoutError):
        return _NETWORK[errno.ETIMEDOUT]
    return _NETWORK.get(error.errno or 0, "") if isinstance(error, OSError) else ""


def of_text(text: str) -> str:
    """Plain words for an error that only the client library's log tells; empty if it says nothing that is known."""
    return _of_alert(text)


def of_refusal(code: int, words: str) -> str:
    """Plain words for a login that was refused, by the reason code of MQTT 5."""
    return f"拒绝登录 login refused: {_REFUSALS.get(code, words)}"


def _of_alert(text: str) -> str:
    upper = text.upper().replace(" ", "_")
    return next((words for mark, words in _ALERTS if mark in upper), "")
