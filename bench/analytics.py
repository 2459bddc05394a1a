"""Air analytics beside its peers: running means, AQI, days and years, percentiles, a site-year, and the calculator as a whole.

Cases "from the cube" begin with integers in our layout (int32 thousandths, hours in rows), as the service holds them; cases
"from foreign floats" bring float64 [station, hour] of somebody else into that layout first.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.common import Bench, fix_threads
from lanbi.machine_code import edition

fix_threads(1)
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / "lanbi-bench-numba" / edition()))

from bench.parts import aqi, county, rolling, site, years
from bench.parts.air import signals, to_cube

STATIONS = 100


def main() -> None:
    """Run all cases."""
    bench = Bench.start("analytics")
    values = signals(STATIONS)
    hours = to_cube(values)
    rolling.run(bench, values, hours)
    aqi.run(bench, values, hours)
    aqi.ceiling(bench, hours)
    aqi.reportable(bench)
    years.run(bench, values, hours)
    years.percentiles(bench, hours)
    site.run(bench, hours)
    site.calculator(bench)
    county.crowds(bench, hours)
    county.run(bench)
    if not bench.quick:
        county.memory(bench)
    bench.finish()


if __name__ == "__main__":
    main()
