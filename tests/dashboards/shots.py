"""Pictures of boards after a bad winter, at a desk and on a television: `GRAFANA_HOME=… python -m tests.dashboards.shots DIR [BOARD…]`.

With names of boards the county is the small one of the tests, which is filled in a minute or two.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from lanbi.clock import SystemClock
from tests.dashboards.filled import DAYS as FEW_DAYS
from tests.dashboards.filled import bad_winter, filled, small
from tests.dashboards.grafana_house import grafana, provisioned, receiver
from tests.dashboards.sample import boards, sample
from tests.system.chromium_page import browser

DAYS = 660
"""Of the year before more than 300: then there is a forecast."""
SIZES = {"desk": (1440, 900), "tv": (1920, 1080)}
CLOCK = SystemClock()
SETTLED = (
    "document.querySelectorAll('[aria-label=\"Panel loading bar\"], .panel-loading').length === 0 && document.querySelectorAll('.react-grid-item').length > 0"
)


def main(out: Path, chosen: list[str]) -> int:
    """Fill the sample county, start Grafana before it, and take the pictures."""
    registry, days = (small(sample().registry), FEW_DAYS) if chosen else (sample().registry, DAYS)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, receiver() as (webhook, _):
        base = Path(folder)
        with filled(base, registry, CLOCK.now_ns() // 10**9, days=days, air=bad_winter, hours=48) as county:
            environment = provisioned(county, base / "lanbi", webhook, quick=True)
            with grafana(base / "server", environment, provisioning=base / "lanbi" / "provisioning") as one, browser() as page:
                CLOCK.sleep(60)  # alerts that are pending come to fire
                for uid in chosen or boards():
                    for name, (width, height) in SIZES.items():
                        page.size(width, height)
                        page.open(f"{one.url}/d/{uid}?kiosk" if name == "tv" else f"{one.url}/d/{uid}")
                        page.wait("document.readyState === 'complete'")
                        CLOCK.sleep(5)
                        page.wait(SETTLED, 60)
                        CLOCK.sleep(3)
                        page.picture(out / f"{uid}-{name}.png", whole=False)
                        sys.stdout.write(f"{out / f'{uid}-{name}.png'}\n")
                    _whole(page, one.url, uid, out)
    return 0


def _whole(page: object, url: str, uid: str, out: Path) -> None:
    """The whole board in one tall picture: what lies below the fold must be right too."""
    page.size(1440, 3_200)  # type: ignore[attr-defined]
    page.open(f"{url}/d/{uid}?kiosk")  # type: ignore[attr-defined]
    CLOCK.sleep(12)
    page.picture(out / f"{uid}-whole.png", whole=False)  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
