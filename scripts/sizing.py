"""What a device, a station and a year cost, from what was measured, carried to a city and a province: ``python -m scripts.sizing``.

Reads ``docs/faults.jsonl`` (the backlog campaign) and ``docs/performance.md`` (the cold start), prints the table, and writes it
between the marks of ``docs/sizing.md``.
"""

import json
import re
import sys
from pathlib import Path
from typing import Final, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "sizing.md"
BEGIN, END = "<!-- figures: python -m scripts.sizing -->\n", "<!-- end of figures -->"
YEAR_S: Final = 365 * 86_400
KEPT_YEARS: Final = 5
GB: Final = 1e9


class Measured(NamedTuple):
    """What one machine of the campaigns' kind did: see :func:`measured`."""

    taken: float
    drained: float
    sealed: float
    memory: float
    rows: float
    seconds: float


class Place(NamedTuple):
    """A place with its stations (a reading an hour from each item's mean and one a minute) and meters (one a minute)."""

    name: str
    stations: int
    meters: int

    @property
    def rate(self) -> float:
        """Readings a second: one a minute from each device."""
        return (self.stations + self.meters) / 60


PLACES: Final = (
    Place("区县 a county", 20, 300),
    Place("大县 a large county", 100, 3_000),
    Place("地市 a city of 10", 400, 10_000),
    Place("百县 100 counties", 2_000, 30_000),
    Place("一省 a province of 140", 2_800, 100_000),
)


def one(pattern: str, text: str) -> float:
    """The number that a pattern finds; a figure that is not there is an error, never a guess."""
    found = re.search(pattern, text)
    if not found:
        raise SystemExit(f"not measured: {pattern}")
    return float(found[1].replace(",", ""))


def measured() -> Measured:
    """Readings a second taken and forwarded at once, sealed bytes a reading, MB of ingest, rows and seconds of a station's year."""
    rows = [json.loads(line) for line in (ROOT / "docs" / "faults.jsonl").read_text(encoding="utf-8").splitlines()]
    backlog = "; ".join(next(row["figures"] for row in rows if row["campaign"] == "backlog"))
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    head = r"county of (\d+) stations, cold start, nothing stored yet"
    stations = one(head, page)
    computing = one(rf"{head}: reading and computing \| ([\d.]+)".replace(r"(\d+)", r"\d+"), page)
    start = one(rf"{head}: of that interpreter, libraries and warm kernels \| ([\d.]+)".replace(r"(\d+)", r"\d+"), page)
    written = one(r"besides, writing (\d+) rows", page)
    writing = one(r"besides, writing \d+ rows \| ([\d.]+)", page)
    return Measured(
        one(r"after \d+ s at ([\d,]+)/s", backlog),
        one(r"([\d,]+) readings/s beside", backlog),
        one(r"sealed ([\d.]+) B", backlog),
        one(r"memory at most ([\d.]+) MB", backlog),
        written / stations,
        (computing - start + writing) / stations,
    )


def table(known: Measured, places: tuple[Place, ...] = PLACES) -> str:
    """The figures of one machine, then what follows for each place."""
    lines = ["| measured on two cores | |", "|---|---|"]
    lines += [f"| readings a second taken, journalled and confirmed while the store was away | {known.taken:,.0f} |"]
    lines += [f"| readings a second forwarded to InfluxDB beside them, afterwards | {known.drained:,.0f} |"]
    lines += [f"| journal, sealed, a reading | {known.sealed:.1f} B |", f"| memory of ingest, at most | {known.memory:.0f} MB |"]
    lines += [
        f"| rows of figures of a station's year | {known.rows:,.0f} |",
        f"| computing and writing them from nothing | {known.seconds:.2f} s of processor |",
    ]
    lines += [
        "",
        "| place | stations | meters | readings/s, one a minute each | of what was taken | journal a year | kept 5 years | a year of all stations anew |",
    ]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for place in places:
        year = place.rate * YEAR_S * known.sealed / GB
        share, anew = 100 * place.rate / known.taken, place.stations * known.seconds
        lines.append(
            f"| {place.name} | {place.stations:,} | {place.meters:,} | {place.rate:,.0f} | {share:.2g} % | {year:,.0f} GB | {KEPT_YEARS * year:,.0f} GB | {anew:,.0f} s |"
        )
    return "\n".join(lines) + "\n"


def written(page: str, text: str) -> str:
    """The page with the table between its marks."""
    head, _, rest = page.partition(BEGIN)
    return f"{head}{BEGIN}{text}{END}{rest.partition(END)[2]}"


def main() -> int:
    """Print the table and refresh the page."""
    text = table(measured())
    print(text, end="")
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
