"""Pictures of reports, as a reader sees them: ``python -m tests.system.report_shots DIR``.

A simulated bad winter (month, episode, plan, a station), and with the public daily file of Jinan beside the project its year 2016. Everything
but the winter's weather goes the user's way: import, analyse, report; Chromium draws the HTML as wide as A4 prints it.
"""

from __future__ import annotations

import base64
import gzip
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from domain import civil
from lanbi import simulated_history, wiring
from lanbi.cli import main as lanbi
from lanbi.clock import SystemClock
from lanbi.simulated_history import Past
from tests.dashboards.filled import bad_winter, small, smother
from tests.lanbi.figures_house import Hand
from tests.system.chromium_page import Page, browser, program

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "dev" / "daily_jinan_2014_2018.csv.gz"
JINAN = '[county]\nid = "jn"\nname = "济南市"\n[[city]]\nid = "jinan"\nname = "济南"\ncodes = ["济南"]\n'
NOW = SystemClock().now_ns() // 10**9
YEAR = civil.year_of_day(civil.day_of(NOW))
DAYS = civil.day_of(NOW) - civil.year_days(YEAR - 1)[0]
"""From New Year of the year before: last year's winter stands beside."""
WINTER = (
    ("month", f"{YEAR}-01"),
    ("episode", "--from", f"{YEAR}-01-10", "--to", f"{YEAR}-01-16"),
    ("plan", str(YEAR - 1)),
    ("station", "sc-a01", f"{YEAR}-01"),
)
A4 = (1_031, 702)
"""What a landscape A4 page has inside its margins, in CSS pixels."""
PAGES = 3
"""Pictures of a report: its first pages, two a picture."""


def house(folder: Path, registry: str) -> str:
    """Settings of a county without any server; returns their file."""
    folder.mkdir()
    (folder / "county.toml").write_text(registry, encoding="utf-8")
    text = f'data = "{folder}/var"\ncounty = "{folder}/county.toml"\ntargets = ["{ROOT}/plans/chiping.toml"]\n[store]\nkind = "embedded"\n'
    (folder / "lanbi.toml").write_text(text, encoding="utf-8")
    return str(folder / "lanbi.toml")


def done(*words: str) -> None:
    """A command of lanbi that must succeed."""
    code = lanbi(list(words))
    if code:
        raise SystemExit(f"lanbi {' '.join(words)}: {code}")


def winter(folder: Path) -> str:
    """A county's two winters, the second one bad."""
    config = house(folder, (ROOT / "plans" / "sample-county.toml").read_text(encoding="utf-8"))
    settings = wiring.settings(config)
    registry = wiring.registry(settings)
    few = small(registry, assessment=4)
    simulated_history.write(settings, few, Hand(NOW), Past(7, NOW, DAYS))
    store = wiring.store(settings)
    smother(store, few, NOW, bad_winter)
    store.close()
    done("analyse", "--config", config, "--once", "--years", f"{YEAR - 1}-{YEAR}")
    return config


def jinan(folder: Path) -> str:
    """The published days of Jinan, 2014 to 2018."""
    config = house(folder, JINAN)
    (folder / "jinan.csv").write_bytes(gzip.decompress(DATA.read_bytes()))
    done("import", "--config", config, "--format", "city-daily", str(folder / "jinan.csv"))
    done("analyse", "--config", config, "--once", "--years", "2014-2018")
    return config


def picture(page: Page, config: str, asked: Sequence[str], file: Path) -> None:
    """A report as HTML and as it looks."""
    done("report", "--config", config, *asked, "-o", str(file.with_suffix(".html")))
    page.size(*A4)
    page.open(file.with_suffix(".html").as_uri())
    page.wait("document.readyState === 'complete'")
    tall = page.run("document.documentElement.scrollHeight")
    for number in range(min(PAGES, -(-tall // (2 * A4[1])))):
        clip = {"x": 0, "y": 2 * A4[1] * number, "width": A4[0], "height": 2 * A4[1], "scale": 1}
        made = page.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        part = file.with_stem(f"{file.stem}-{number + 1}")
        part.write_bytes(base64.b64decode(made["data"]))
        sys.stdout.write(f"{part}\n")
    sys.stdout.flush()


def main(out: Path) -> int:
    """Make the counties, print the reports, take their pictures."""
    if program() is None:
        sys.stderr.write("没有 Chromium no Chromium: make services\n")
        return 3
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browser() as page:
        config = winter(Path(folder) / "winter")
        for asked in WINTER:
            picture(page, config, asked, out / f"winter-{asked[0]}.png")
        if not DATA.exists():
            sys.stdout.write(f"没有公开数据 no public data: {DATA.name}\n")
            return 0
        picture(page, jinan(Path(folder) / "jinan"), ("station", "jinan", "2016"), out / "jinan-2016.png")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "reports")))
