"""Live check of the account: received = stored + duplicate + dead-letter + quarantined + pending, looked at again and again."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from domain.errors import SettingsError
from domain.ports import Clock
from domain.reasons import OUTCOMES
from lanbi.clock import SystemClock
from lanbi.founding import PROBE_KEY
from lanbi.live import FAULT, NOTE, OK, Finding
from lanbi.secret import read_secret
from lanbi.settings import Settings
from lanbi.state import StateView

PART: Final = "account"
LOOKS: Final = 5
PAUSE_S: Final = 0.4
TERMS: Final = (*OUTCOMES, "pending")
COUNTERS: Final = ("received", *OUTCOMES)
NAMES: Final = {
    "lanbi_ingest_readings_received_total": "received",
    "lanbi_ingest_readings_stored_total": "stored",
    "lanbi_ingest_readings_duplicate_total": "duplicate",
    "lanbi_ingest_readings_deadletter_total": "deadletter",
    "lanbi_ingest_readings_quarantined_total": "quarantined",
    "lanbi_journal_pending_readings": "pending",
}
REPORT: Final = "停止接收，保留数据文件夹，报告此行 stop ingest, keep the data folder, report this line"
PATIENCE_S: Final = 5
TODO_KEY: Final = "lanbi access key add lanbi-check --role probe --days 3650, and write the key into {} (chmod 600)"
Law = Mapping[str, int]


class Asked(NamedTuple):
    """An address with /metrics, the certificate that it shows, and the file of the key that it wants."""

    address: str
    certificate: Path | None = None
    key: Path | None = None


def look(settings: Settings) -> Iterator[Finding]:
    """Several looks at the totals while readings flow, then one scrape of each /metrics that answers."""
    yield from judged(_looks(settings, SystemClock()))
    board = Asked(settings.http.listen, settings.http.cert_file, settings.data / "secrets" / PROBE_KEY)
    for asked in (board, Asked(settings.ingest.health)):
        text = _scraped(asked)
        if text is not None:
            yield _of_scrape(asked.address, scraped(text))


def _looks(settings: Settings, clock: Clock) -> list[Law]:
    view = StateView(settings.data)
    try:
        found: list[Law] = []
        for number in range(LOOKS):
            if number:
                clock.sleep(PAUSE_S)
            found.append(view.conservation())
        return found
    finally:
        view.close()


def judged(laws: Sequence[Law]) -> Iterator[Finding]:
    """The verdict on looks one after another: each adds up, nothing is negative, and no counter goes back."""
    for law in laws:
        if fault := broken(law):
            yield Finding(PART, FAULT, f"账目不平：{fault}", f"the account does not add up: {fault}", REPORT)
            return
    for before, after in pairwise(laws):
        back = [f"{name} {before[name]} → {after[name]}" for name in COUNTERS if after[name] < before[name]]
        if back:
            words = ", ".join(back)
            yield Finding(PART, FAULT, f"计数倒退：{words}", f"counters went back: {words}", REPORT)
            return
    last, flowed = laws[-1], laws[-1]["received"] - laws[0]["received"]
    words = " + ".join(f"{name} {last[name]}" for name in TERMS)
    yield Finding(
        PART,
        OK,
        f"{len(laws)} 次查看账目均平，其间接收 {flowed} 条",
        f"{len(laws)} looks add up, {flowed} received meanwhile: received {last['received']} = {words}",
    )
    if len(laws) > 1 and last["pending"] and last["pending"] >= laws[0]["pending"] and last["stored"] == laws[0]["stored"]:
        yield Finding(PART, NOTE, f"{last['pending']} 条读数在等待，未见减少", f"{last['pending']} readings wait and get no fewer", "see processes and store")


def broken(law: Law) -> str:
    """What is wrong with the terms; empty if they add up."""
    rest = sum(law[name] for name in TERMS)
    negative = [name for name in (*COUNTERS, "pending") if law[name] < 0]
    if negative:
        return f"{', '.join(negative)} < 0"
    return "" if law["received"] == rest else f"received {law['received']} ≠ {rest} = {' + '.join(f'{name} {law[name]}' for name in TERMS)}"


def scraped(text: str) -> Law | None:
    """The six terms of a scrape, the reasons of each added up; None if it does not have them all."""
    law: dict[str, int] = {}
    for line in text.splitlines():
        name = line.partition(" ")[0].partition("{")[0]
        if name in NAMES and not line.startswith("#"):
            law[NAMES[name]] = law.get(NAMES[name], 0) + int(float(line.rpartition(" ")[2]))
    return law if set(law) == set(NAMES.values()) else None


def _scraped(asked: Asked) -> str | None:
    """The scrape; None where nobody listens.

    Raises
    ------
    SettingsError
        The API wants a key, and there is none here, or it is not taken.
    """
    head = {"Authorization": f"Bearer {read_secret(asked.key, 'key').reveal()}"} if asked.key and asked.key.exists() else {}
    scheme, trust = "http", None
    if asked.certificate:
        # We ask our own address, which no certificate names: it must be this very certificate instead.
        scheme, trust = "https", ssl.create_default_context(cafile=str(asked.certificate))
        trust.check_hostname = False
    try:
        request = urllib.request.Request(f"{scheme}://{asked.address}/metrics", headers=head)  # noqa: S310  an address of the settings
        with urllib.request.urlopen(request, timeout=PATIENCE_S, context=trust) as answer:  # noqa: S310  same
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        if error.code in {401, 403}:
            raise SettingsError(f"/metrics wants a key ({error.code})", asked.address, TODO_KEY.format(asked.key)) from error
        return None
    except (OSError, ValueError):
        return None


def _of_scrape(address: str, law: Law | None) -> Finding:
    if law is None:
        return Finding(PART, FAULT, f"{address}/metrics 缺少账目指标", f"{address}/metrics lacks terms of the account", "is it lanbi that listens there?")
    if fault := broken(law):
        return Finding(PART, FAULT, f"{address}/metrics 账目不平：{fault}", f"{address}/metrics does not add up: {fault}", REPORT)
    return Finding(PART, OK, f"{address}/metrics 账目相符", f"{address}/metrics adds up: received {law['received']}")
