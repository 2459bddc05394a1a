"""What ``lanbi check`` looks at beyond the files themselves: secrets, pace, and what is allowed but unwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from domain.civil import day_of, year_of_day
from domain.errors import SettingsError
from domain.places import Registry
from domain.ports import Clock
from domain.targets import Plan
from lanbi import hj212_keys
from lanbi.broker_access import HERE, address_of, tls_of
from lanbi.journal_space import days_until_full, full_in, room, said
from lanbi.secret import open_to_others, read_secret
from lanbi.settings import Settings

NS: Final = 1_000_000_000
EMBEDDED_PACE: Final = 20.0
"""Readings/s that the embedded store is meant for, sustained."""
OUT: Final = (None, "retired")
"""States of a device that is not in service."""
FULL_SOON: Final = 90.0
"""Days: so long a bureau needs to buy a disk."""
LOOPBACK: Final = ("127.", "localhost:", "[::1]:")
COUNTED: Final = (
    ("air_stations", "空气站 air stations"),
    ("water_sections", "断面 water sections"),
    ("wells", "水井 wells"),
    ("points", "排放点 permit points"),
    ("enterprises", "企业 enterprises"),
    ("meters", "计量表 meters"),
    ("devices", "设备 devices"),
)


def today(clock: Clock) -> int:
    """Civil day of now."""
    return day_of(clock.now_ns() // NS)


def of_registry(registry: Registry, day: int) -> str:
    """One line: how much of each kind is registered, and at which pace it reports."""
    counts = ", ".join(f"{words} {len(getattr(registry, name))}" for name, words in COUNTED)
    return (
        f"登记册 registry {registry.county.name} ({registry.county.id}) 版本 version {registry.version}: {counts}; {pace(registry, day):.2g} 条/秒 readings/s"
    )


def pace(registry: Registry, day: int) -> float:
    """Readings per second that the devices in service send on a day [1/s]."""
    serving = (device for device in registry.devices.values() if device.state.on(day) not in OUT)
    return sum(len(device.sources.on(day) or ()) / device.interval for device in serving)


def of_plan(plan: Plan, day: int) -> str:
    """One line: how many targets a plan has, and how many have a value for the running year."""
    year = year_of_day(day)
    now = sum(1 for target in plan.targets if target.for_year(year))
    ever = sum(1 for target in plan.targets if target.last)
    waiting = len(plan.targets) - ever
    return f"规划 plan {plan.name_zh}: {len(plan.targets)} 项 targets, {year} 年有目标值 with a value {now}, 曾有 ever {ever}, 目标值待下达 not set {waiting}"


def registry_hints(registry: Registry, settings: Settings, day: int) -> Iterator[str]:
    """What a valid registry may still be missing."""
    if registry.air_stations and not registry.assessment(day):
        yield 'no air station has role = "assessment" today, so the county has no air figures'
    yield from hj212_keys.old(registry, settings.data, day)
    spoken = {source for name, device in registry.devices.items() if device.state.on(day) not in OUT for source in registry.sources_of(name, day)}
    silent = [source for source in registry.kinds if source not in spoken]
    if silent:
        names = ", ".join(silent[:3]) + (", …" if len(silent) > 3 else "")
        yield f"{len(silent)} places or meters have no device today ({names}): only imports can fill them"
    rate = pace(registry, day)
    if settings.store.kind == "embedded" and rate > EMBEDDED_PACE:
        yield f"the devices send {rate:.0f} readings/s; the embedded store is meant for {EMBEDDED_PACE:.0f}"


def of_journal(settings: Settings) -> str:
    """One line: what the journal takes, and the days until it is full."""
    now = room(settings.data, settings.journal.quota)
    days = days_until_full(settings.data, settings.journal.quota)
    return f"日志 journal {said(now.used)}, 可用 free {said(now.free)}, 写满还有 days until full {full_in(days)} (on_full = {settings.journal.on_full})"


def journal_hints(settings: Settings) -> Iterator[str]:
    """What the journal will lack."""
    days = days_until_full(settings.data, settings.journal.quota)
    if days < FULL_SOON:
        then = "then nothing more is acknowledged" if settings.journal.on_full == "stop" else "then the oldest forwarded days are removed"
        yield f"日志约 {days:.0f} 天后写满 the journal is full in about {days:.0f} days; {then}: see `lanbi journal archive`"
    if not settings.journal.anchor_mail:
        yield "journal.anchor_mail is empty: without seals outside this server nothing is proven against whoever owns the disk"


def settings_hints(settings: Settings) -> Iterator[str]:
    """Valid settings that may not be meant."""
    yield from (f"passed over, written for a newer lanbi: {words}" for words in settings.passed_over)
    for key, address in (("ingest.health", settings.ingest.health), ("analyse.health", settings.analyse.health)):
        if not address.startswith(LOOPBACK):
            yield f"{key} = {address}: whoever reaches this address can read everything there, for health pages know no login"
    password = settings.broker.password_file
    if password and not password.exists():
        yield "broker.password_file: there is no such file, so lanbi logs in to the broker without a password"
    if settings.broker.url.startswith("mqtt:") and not address_of(settings.broker.url)[0].startswith(HERE):
        yield "broker.url: passwords and readings travel in clear to another machine; use mqtts://"
    for key, path in secrets_of(settings):
        if open_to_others(path):
            yield f"{key}: other users of this machine may read the file: chmod 600"


def secret_faults(settings: Settings) -> Iterator[SettingsError]:
    """Secrets that the settings name and that cannot be read."""
    for key, path in secrets_of(settings):
        try:
            read_secret(path, key)
        except SettingsError as error:
            yield error
    try:
        tls_of(settings.broker)
    except SettingsError as error:
        yield error


def secrets_of(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Key and file of every secret that the settings name."""
    password = settings.broker.password_file
    if password and password.exists():
        yield "broker.password_file", password
    for key, path in (("http.key_file", settings.http.key_file), ("http.webhook_secret_file", settings.http.webhook_secret_file)):
        if path:
            yield key, path
    if settings.broker.key_file:
        yield "broker.key_file", settings.broker.key_file
    if settings.mail.password_file:
        yield "mail.password_file", settings.mail.password_file
    if settings.store.kind == "influx":
        yield "store.token_file", settings.store.token_file
        yield "store.read_token_file", settings.store.read_token_file
