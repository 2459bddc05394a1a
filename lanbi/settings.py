"""Settings: one TOML file plus ``LANBI_…`` environment, validated whole before anything starts. Secrets stay in files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.errors import SettingsError
from domain.warning import SCHEMES
from lanbi.plans import folder
from lanbi.settings_rules import Rule, address, beyond, bytes_of, choice, host, mail, share, size, time_of_day, url, whole
from lanbi.settings_sections import AnalyseSettings, BrokerSettings, GrafanaSettings, HttpSettings, IngestSettings, JournalSettings, MailSettings, StoreSettings
from lanbi.toml_lines import Lines, nearest, parse, raise_all, read, unknown

DEFAULT_FILE: Final = "lanbi.toml"
DEFAULT_INGEST: Final = "lanbi-ingest"
FREE_NAMES: Final = ("LANBI_REQUIRE_SERVICES", "LANBI_CONFIG")
FREE_PREFIXES: Final = ("LANBI_GRAFANA_", "LANBI_INFLUX_", "LANBI_DINGTALK_", "LANBI_WECOM_")
CLOCKS: Final = ("system", "simulated")
STORES: Final = ("embedded", "influx")
ON_FULL: Final = ("stop", "drop-oldest-forwarded")


class Key(NamedTuple):
    """A settings key: its default and what it is for."""

    default: str | tuple[str, ...] | None
    zh: str
    en: str


KEYS: Final[Mapping[str, Key]] = {
    "data": Key("var", "数据文件夹", "folder of journal, embedded store and generated secrets"),
    "county": Key("plans/sample-county.toml", "登记册", "the county's registry"),
    "targets": Key(("plans/chiping.toml",), "规划目标", "plans whose targets are judged"),
    "clock": Key("system", "时钟：system 或 simulated（演示）", "system, or simulated for the demo"),
    "broker.url": Key("mqtt://127.0.0.1:1883", "MQTT 服务器", "mqtt://, mqtts:// or embedded (demo, 127.0.0.1 only)"),
    "broker.username": Key(DEFAULT_INGEST, "MQTT 用户名", "user name of ingest at the broker; by default of instance i > 1: lanbi-ingest-i"),
    "broker.password_file": Key(None, "MQTT 密码文件", "file that holds the broker password"),
    "broker.client_id": Key(None, "MQTT 客户端标识（默认同用户名）", "client id of ingest; default: the user name, because a safe broker binds the two"),
    "broker.keepalive": Key("60", "心跳秒数", "seconds in which a dead link is noticed; dialled again within twice as many"),
    "broker.ca_file": Key(None, "签发 MQTT 服务器证书的根证书", "certificate of whoever signed the broker's (mqtts://); default: those of the system"),
    "broker.cert_file": Key(None, "客户端证书", "our own certificate, where the broker wants one"),
    "broker.key_file": Key(None, "客户端证书的私钥", "key of our own certificate"),
    "broker.queue_bytes": Key(None, "服务器为离线的 lanbi 保留的字节数", "bytes that the broker holds for a lanbi that does not take them, as set there"),
    "journal.on_full": Key("stop", "日志写满时：stop 或 drop-oldest-forwarded", "when full: stop, or drop-oldest-forwarded"),
    "journal.quota": Key(None, "日志最大占用，如 500GB", "most bytes that the journal may take; default: the disk"),
    "journal.keep_days": Key("1826", "日志至少保存天数", "days that the journal is kept at least; the law asks for five years"),
    "journal.archive": Key(None, "封存文件的归档文件夹", "folder on another disk for sealed days"),
    "journal.anchor_mail": Key((), "封印寄往的外部邮箱", "mail addresses outside this server that get every seal"),
    "mail.url": Key("smtp://127.0.0.1:25", "发信服务器", "smtp:// (no TLS), smtp+starttls:// or smtps://"),
    "mail.username": Key(None, "发信用户名", "user name at the mail server; default: no login"),
    "mail.password_file": Key(None, "发信密码文件", "file that holds the password of the mail server"),
    "mail.ca_file": Key(None, "签发发信服务器证书的根证书", "certificate of whoever signed the mail server's; default: those of the system"),
    "mail.sender": Key("lanbi@localhost", "发信地址", "address that mails come from"),
    "broker.folder": Key("var/broker", "为 Mosquitto 生成的文件所在文件夹", "folder of the files generated for Mosquitto: acl, passwd"),
    "broker.pid_file": Key("/run/mosquitto/mosquitto.pid", "Mosquitto 的进程号文件", "Mosquitto's pid file, to make it read its files again"),
    "store.kind": Key("embedded", "存储：embedded 或 influx", "embedded, or influx"),
    "store.url": Key("http://127.0.0.1:8086", "InfluxDB 地址", "address of InfluxDB"),
    "store.org": Key("lanbi", "InfluxDB 组织", "organisation in InfluxDB"),
    "store.bucket": Key("lanbi", "InfluxDB 桶前缀", "prefix of the buckets"),
    "store.token_file": Key("var/secrets/influx-write", "写令牌文件", "file that holds the write token"),
    "store.read_token_file": Key("var/secrets/influx-read", "读令牌文件", "file that holds the read token"),
    "store.second_look": Key(
        "120", "写入无应答或撤回数值后复查的秒数", "seconds after a write without answer or a withdrawal until the rows are looked at again"
    ),
    "http.listen": Key("127.0.0.1:8080", "网页与接口地址", "address of board and API"),
    "http.login": Key("off", "登录：off 只供本机读取，on 人人登录", "off: this machine alone, for reading; on: everybody logs in or brings a key"),
    "http.names": Key((), "可访问的主机名", "host names under which board and API may be asked, besides those of this machine"),
    "http.cert_file": Key(None, "网页证书（TLS）", "certificate of board and API; needed to listen beyond this machine"),
    "http.key_file": Key(None, "网页证书的私钥", "key of that certificate"),
    "http.webhook_secret_file": Key(None, "告警推送签名密钥文件", "file of the secret with which Grafana signs what it sends to the duty log"),
    "ingest.health": Key("127.0.0.1:8081", "接收进程健康地址", "health address of a separate ingest"),
    "ingest.instance": Key("1/1", "接收实例 i/N", "this ingest takes the devices with crc32(device) mod N = i-1"),
    "ingest.hj212": Key(None, "HJ 212 数采仪的 TCP 监听地址", "address for HJ 212 loggers over TCP, such as 0.0.0.0:8212; default: none listens"),
    "ingest.reconcile": Key("03:20", "每夜核对的时刻，off 为不核对", "time of day (China's) of the nightly reconciliation, or off"),
    "analyse.health": Key("127.0.0.1:8082", "计算进程健康地址", "health address of analytics"),
    "analyse.warning": Key("shandong-2022", "重污染预警条件（已发生部分）依据", "whose warning levels are held against what has happened"),
    "grafana.channels": Key((), "值班日志之外的告警渠道：dingtalk wecom email mqtt", "where alerts go beside the duty log: dingtalk, wecom, email, mqtt"),
    "grafana.webhook": Key("http://127.0.0.1:8080/api/v1/alerts/grafana", "值班日志的接收地址", "where Grafana sends alerts for the duty log"),
    "analyse.on_course": Key("30", "不达标概率（%）不高于此值为进度正常", "chance of missing a target, in %, up to which it is on course"),
    "analyse.closing": Key(
        "60", "日数值在次日零点后多少分钟起视为已公布", "minutes after midnight from which on a day's figures are closed: changes are restated"
    ),
    "analyse.at_risk": Key("70", "不达标概率（%）不低于此值为有风险", "chance of missing a target, in %, from which on it is at risk"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, validated; holds paths of secrets, never a secret."""

    data: Path
    county: Path
    targets: tuple[Path, ...]
    clock: str
    broker: BrokerSettings
    journal: JournalSettings
    mail: MailSettings
    store: StoreSettings
    http: HttpSettings
    ingest: IngestSettings
    analyse: AnalyseSettings
    grafana: GrafanaSettings
    file: Path | None = None


def load(config: str | None, environment: Mapping[str, str]) -> Settings:
    """Settings of a file (default ``lanbi.toml`` if there is one) with the environment over it.

    Raises
    ------
    SettingsError
        All faults at once: unknown keys with the nearest known name, wrong values, each with file and line or variable.
    """
    path = Path(config) if config else Path(DEFAULT_FILE)
    text = read(path, SettingsError) if config or path.exists() else ""
    tree = parse(text, str(path), SettingsError)
    lines = Lines(text)
    faults: list[tuple[str, str]] = []
    flat: dict[str, Any] = {}
    places: dict[str, str] = {}
    _flatten(tree, path, lines, (flat, places, faults))
    _overlay(environment, flat, places, faults)
    _check_values(flat, places, faults)
    _check_together(flat, places, faults)
    raise_all(faults, SettingsError, "see docs/settings.md, or lanbi check --explain")
    return _build(flat, path if text else None)


def _flatten(tree: Mapping[str, Any], path: Path, lines: Lines, out: tuple[dict[str, Any], dict[str, str], list[tuple[str, str]]]) -> None:
    flat, places, faults = out
    sections = {name.split(".")[0] for name in KEYS if "." in name}
    for name, value in tree.items():
        if name in sections and isinstance(value, dict):
            known = [key.split(".")[1] for key in KEYS if key.startswith(f"{name}.")]
            faults += [(f"{path}:{lines.of(name, key)}", words) for key, words in unknown(value, known)]
            for key, inner in value.items():
                flat[f"{name}.{key}"] = inner
                places[f"{name}.{key}"] = f"{path}:{lines.of(name, key)}"
        elif name in KEYS:
            flat[name] = value
            places[name] = f"{path}:{lines.of(name)}"
        elif name in sections:
            faults.append((f"{path}:{lines.of(name)}", f"write a table [{name}], not {name} = …"))
        else:
            faults.append((f"{path}:{lines.of(name)}", f"unknown key '{name}'{nearest(name, [*KEYS, *sections])}"))


def variable(key: str) -> str:
    """Name of a key in the environment."""
    return "LANBI_" + key.replace(".", "_").upper()


def _overlay(environment: Mapping[str, str], flat: dict[str, Any], places: dict[str, str], faults: list[tuple[str, str]]) -> None:
    names = {variable(key): key for key in KEYS}
    for name in sorted(environment):
        if not name.startswith("LANBI_") or name in FREE_NAMES or name.startswith(FREE_PREFIXES):
            continue
        if name not in names:
            faults.append((f"environment {name}", f"unknown variable{nearest(name, list(names))}"))
            continue
        key = names[name]
        value = environment[name]
        flat[key] = value.split(":") if isinstance(KEYS[key].default, tuple) else value
        places[key] = f"environment {name}"


def _check_values(flat: Mapping[str, Any], places: Mapping[str, str], faults: list[tuple[str, str]]) -> None:
    for key, value in flat.items():
        if key not in KEYS:
            continue
        if key in LISTS and not (isinstance(value, list) and value and all(isinstance(one, str) and one.strip() for one in value)):
            words = f"a list of {LISTS[key]} in quotes is needed"
        elif key in LISTS:
            words = next((fault for one in value if (fault := _fault_of(key, one))), "")
        elif isinstance(value, str) or (key in WHOLE and isinstance(value, int) and not isinstance(value, bool)):
            words = _fault_of(key, str(value))
        else:
            # The value is not repeated: somebody may have written the secret itself where its file is meant.
            words = f"text in quotes is needed, not {_type_of(value)}"
        faults += [(places[key], f"{key}: {words}")] if words else []


def _check_together(flat: Mapping[str, Any], places: Mapping[str, str], faults: list[tuple[str, str]]) -> None:
    """Beyond this machine nobody reads without a login, and no password travels in clear."""
    where = places.get("http.listen", "http.listen")
    if any(place == where for place, _ in faults) or not beyond(str(flat.get("http.listen", ""))):
        return
    if flat.get("http.login") != "on":
        faults.append((where, 'http.listen: beyond this machine only with logins: write login = "on" (see docs/access.md)'))
    if not (flat.get("http.cert_file") and flat.get("http.key_file")):
        faults.append((where, "http.listen: beyond this machine only with TLS: write cert_file and key_file, or listen on 127.0.0.1 behind a proxy"))


def _type_of(value: object) -> str:
    names = {bool: "true or false", int: "a number", Decimal: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "this")


def _fault_of(key: str, value: str) -> str:
    if not value.strip():
        return "" if KEYS[key].default is None else "is empty; leave the key out to get its default"
    rule = RULES.get(key)
    return rule(value) if rule else ""


WHOLE: Final = frozenset({"analyse.at_risk", "analyse.closing", "analyse.on_course", "broker.keepalive", "journal.keep_days", "store.second_look"})
"""Keys whose value is a whole number, with or without quotes."""
SIZES: Final = frozenset({"broker.queue_bytes", "journal.quota"})
"""Keys whose value is an amount of bytes."""
CHANNELS: Final = ("dingtalk", "wecom", "email", "mqtt")
LISTS: Final = {"targets": "file names", "http.names": "host names", "journal.anchor_mail": "mail addresses", "grafana.channels": "channels"}
KEEP_DAYS: Final = 4
"""The floor: a store's yes is not believed for 96 hours."""
RULES: Final[Mapping[str, Rule]] = {
    "clock": choice(*CLOCKS),
    "store.kind": choice(*STORES),
    "http.listen": address,
    "http.login": choice("off", "on"),
    "http.names": host,
    "ingest.health": address,
    "analyse.health": address,
    "analyse.on_course": whole(1, 49),
    "analyse.closing": whole(0, 720),
    "analyse.warning": choice(*SCHEMES, "none"),
    "analyse.at_risk": whole(51, 99),
    "ingest.instance": share,
    "ingest.hj212": address,
    "ingest.reconcile": time_of_day,
    "broker.keepalive": whole(5, 3_600),
    "broker.url": url(("mqtt", "mqtts"), "broker.password_file", "embedded"),
    "broker.queue_bytes": size,
    "journal.on_full": choice(*ON_FULL),
    "journal.quota": size,
    "journal.keep_days": whole(KEEP_DAYS, 36_525),
    "journal.anchor_mail": mail,
    "mail.url": url(("smtp", "smtp+starttls", "smtps"), "mail.password_file"),
    "mail.sender": mail,
    "store.second_look": whole(1, 3_600),
    "grafana.channels": choice(*CHANNELS),
    "grafana.webhook": url(("http", "https"), "an environment variable"),
    "store.url": url(("http", "https"), "store.token_file"),
}
"""What a value may be; an empty answer = good."""


def _build(flat: Mapping[str, Any], file: Path | None) -> Settings:
    def of(key: str) -> Any:
        return flat.get(key, KEYS[key].default)

    def section(kind: type, name: str) -> Any:
        return kind(**{field.name: _typed(f"{name}.{field.name}", of(f"{name}.{field.name}")) for field in fields(kind)})

    number = of("ingest.instance").partition("/")[0]
    # The broker binds the client id to the user name: two ingests under one name would throw each other out.
    flat = flat if "broker.username" in flat or number == "1" else {**flat, "broker.username": f"{DEFAULT_INGEST}-{number}"}
    return Settings(
        data=Path(of("data")),
        county=Path(flat["county"]) if "county" in flat else _sample(of("county")),
        targets=tuple(Path(one) for one in flat["targets"]) if "targets" in flat else tuple(_sample(one) for one in of("targets")),
        clock=of("clock"),
        broker=section(BrokerSettings, "broker"),
        journal=section(JournalSettings, "journal"),
        mail=section(MailSettings, "mail"),
        store=section(StoreSettings, "store"),
        http=section(HttpSettings, "http"),
        ingest=section(IngestSettings, "ingest"),
        analyse=section(AnalyseSettings, "analyse"),
        grafana=section(GrafanaSettings, "grafana"),
        file=file,
    )


def _typed(key: str, value: Any) -> Any:
    """A checked value as the settings hold it: whole numbers, paths of files, text."""
    if key in WHOLE:
        return int(value)
    if key in SIZES:
        return bytes_of(value) if value else None
    if key in LISTS:
        return tuple(value)
    if key.endswith("_file") or key in {"journal.archive", "broker.folder"}:
        return Path(value) if value else None
    return value


def _sample(name: str) -> Path:
    """A default file: the working folder's, else the one that comes with lanbi, so that an installed wheel needs no clone."""
    path = Path(name)
    shipped = folder() / path.name
    return shipped if shipped.exists() and not path.exists() else path
