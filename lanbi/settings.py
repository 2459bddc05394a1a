"""Settings: one TOML file plus ``LANBI_…`` environment, validated whole before anything starts. Secrets stay in files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from domain.errors import SettingsError
from domain.warning import SCHEMES
from lanbi.plans import folder
from lanbi.release import RELEASE, parsed
from lanbi.settings_keys import DEFAULT_INGEST, KEYS
from lanbi.settings_rules import Rule, address, beyond, bytes_of, choice, host, mail, share, size, time_of_day, url, whole
from lanbi.settings_sections import (
    AnalyseSettings,
    BrokerSettings,
    GrafanaSettings,
    HttpSettings,
    IngestSettings,
    JournalSettings,
    LogSettings,
    MailSettings,
    StoreSettings,
)
from lanbi.toml_lines import UNKNOWN, Lines, nearest, parse, raise_all, read, unknown

DEFAULT_FILE: Final = "lanbi.toml"
FREE_NAMES: Final = ("LANBI_REQUIRE_SERVICES", "LANBI_CONFIG")
FREE_PREFIXES: Final = ("LANBI_GRAFANA_", "LANBI_INFLUX_", "LANBI_DINGTALK_", "LANBI_WECOM_")
CLOCKS: Final = ("system", "simulated")
STORES: Final = ("embedded", "influx")
RECEIVE: Final = ("stock", "bulk")
ON_FULL: Final = ("stop", "drop-oldest-forwarded")


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
    log: LogSettings
    file: Path | None = None
    passed_over: tuple[str, ...] = ()
    """Keys of the next release, which this one does not know; only in a file that says that it was written for it."""


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
    ahead = _written_for(tree, f"{path}:{lines.of('release')}")
    _flatten(tree, path, lines, (flat, places, faults))
    passed_over = tuple(f"{where}: {words}" for where, words in faults if words.startswith(UNKNOWN)) if ahead else ()
    faults = [(where, words) for where, words in faults if not (ahead and words.startswith(UNKNOWN))]
    flat = {key: value for key, value in flat.items() if key in KEYS or not ahead}
    _overlay(environment, flat, places, faults)
    _check_values(flat, places, faults)
    _check_together(flat, places, faults)
    raise_all(faults, SettingsError, "see docs/settings.md, or lanbi check --explain")
    return replace(_build(flat, path if text else None), passed_over=passed_over)


def _written_for(tree: Mapping[str, Any], where: str) -> bool:
    """Whether the file was written for the next minor release: after an upgrade that is taken back it still must be read.

    Raises
    ------
    SettingsError
        It was written for one that is further ahead.
    """
    said = parsed(tree.get("release"))
    if said and not RELEASE.goes_on_with(said):
        raise SettingsError(f"written for lanbi {said}; this is {RELEASE}", where, "use the settings of this release (a backup holds them), or the newer lanbi")
    return bool(said and said > RELEASE)


def _release(value: str) -> str:
    return "" if parsed(value) else f"write MAJOR.MINOR, such as {RELEASE}, not '{value}'"


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
            faults.append((f"{path}:{lines.of(name)}", f"{UNKNOWN} '{name}'{nearest(name, [*KEYS, *sections])}"))


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
    """Beyond this machine nobody reads without a login, and no password travels in clear; several ingests need one store."""
    shared = places.get("ingest.instance", "")
    if shared and not faults and not str(flat["ingest.instance"]).endswith("/1"):
        if flat.get("store.kind") != "influx":
            faults.append((shared, 'ingest.instance: several ingests need a store that they share: write store.kind = "influx"'))
        if flat.get("ingest.hj212"):
            faults.append((places["ingest.hj212"], "ingest.hj212: HJ 212 loggers dial one ingest, whichever device they are: not with several ingests"))
    beside = places.get("ingest.beside", "")
    if beside and not faults and flat.get("data", KEYS["data"].default) in flat["ingest.beside"]:
        faults.append((beside, "ingest.beside: names the data folder itself; name those of the other ingests"))
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


WHOLE: Final = frozenset(
    {"analyse.at_risk", "analyse.closing", "analyse.on_course", "broker.keepalive", "journal.keep_days", "log.lines", "store.keep_hours", "store.second_look"}
)
"""Keys whose value is a whole number, with or without quotes."""
SIZES: Final = frozenset({"broker.queue_bytes", "journal.quota"})
"""Keys whose value is an amount of bytes."""
CHANNELS: Final = ("dingtalk", "wecom", "email", "mqtt")
LISTS: Final = {
    "targets": "file names",
    "http.names": "host names",
    "journal.anchor_mail": "mail addresses",
    "grafana.channels": "channels",
    "ingest.beside": "folders",
}
KEEP_DAYS: Final = 4
"""The floor: a store's yes is not believed for 96 hours."""
RULES: Final[Mapping[str, Rule]] = {
    "release": _release,
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
    "ingest.receive": choice(*RECEIVE),
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
    "store.keep_hours": whole(800, 36_525),
    "store.second_look": whole(1, 3_600),
    "log.format": choice("text", "json"),
    "log.lines": whole(1, 10_000),
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
        log=section(LogSettings, "log"),
        file=file,
    )


def _typed(key: str, value: Any) -> Any:
    """A checked value as the settings hold it: whole numbers, paths of files, text."""
    if key in WHOLE:
        return int(value)
    if key in SIZES:
        return bytes_of(value) if value else None
    if key in LISTS:
        return tuple(map(Path, value)) if key == "ingest.beside" else tuple(value)
    if key.endswith("_file") or key in {"journal.archive", "broker.folder"}:
        return Path(value) if value else None
    return value


def _sample(name: str) -> Path:
    """A default file: the working folder's, else the one that comes with lanbi, so that an installed wheel needs no clone."""
    path = Path(name)
    shipped = folder() / path.name
    return shipped if shipped.exists() and not path.exists() else path
