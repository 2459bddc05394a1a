"""Records a small data folder of an older lanbi for ``tests/lanbi/test_upgrade.py``: ``python -m scripts.record_folder COMMIT FILE.tar.gz``.

The old program itself does it, out of a worktree of that commit: it imports two days of two stations, with a repetition and a
correction, and its own store says what it held (``expected.json``).
"""

import gzip
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIONS = ("x1", "x2")
HOURS = 48
SAY = """
import json, sys
sys.path.insert(0, {root!r})
from lanbi.embedded import EmbeddedStore
from lanbi.state import StateView
from pathlib import Path
data = Path({data!r})
rows = []
store = EmbeddedStore(data / "store.db")
for kind in ("air", "water", "point", "meter"):
    for row in store.rows(kind, None, -2**40, 2**40):
        rows.append([row.kind, row.source, row.span, row.time, int(row.rev), sorted(row.values.items()), sorted(row.flags.items())])
view = StateView(data)
law = view.conservation()
view.close()
store.close()
print(json.dumps({{"rows": rows, "law": law}}))
"""


def csv(changed: int = 0) -> str:
    """Hours of two stations; ``changed`` is added to one value."""
    lines = ["site,time,pm25,pm10,so2,no2,co,o3"]
    for site, base in zip(STATIONS, (20, 40), strict=True):
        for hour in range(HOURS):
            day, end = divmod(hour, 24)
            value = base + hour % 7 + (changed if hour == 5 else 0)
            lines.append(f"{site},2026-10-{day + 1:02d}T{end:02d}:00:00+08:00,{value},{value * 2},8,30,0.7,{60 + hour}")
    return "\n".join(lines) + "\n"


def main(commit: str, target: str) -> int:
    """Check the old program out, let it work, pack what it left."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["git", "worktree", "add", "--detach", "--quiet", str(folder / "old"), commit], check=True, cwd=ROOT)
        try:
            _record(folder)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(folder / "old")], check=True, cwd=ROOT)
        with Path(target).open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
            for path in sorted((folder / "data").rglob("*")):
                if path.is_file() and not path.name.endswith(("-shm", "lock")):
                    tar.add(path, path.relative_to(folder / "data").as_posix())
    print(f"{target}: {Path(target).stat().st_size} bytes")
    return 0


def _record(folder: Path) -> None:
    old, data = folder / "old", folder / "data"
    data.mkdir()
    (data / "county.toml").write_text((ROOT / "plans" / "sample-county-b.toml").read_text())
    config = folder / "lanbi.toml"
    config.write_text(f'data = "{data}"\ncounty = "{data}/county.toml"\ntargets = ["{old}/plans/chiping.toml"]\n')
    run = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(old)!r}); from lanbi.cli import main; sys.exit(main(sys.argv[1:]))"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LANBI_")}
    for number, text in enumerate((csv(), csv(), csv(changed=9))):
        file = folder / f"{number}.csv"
        file.write_text(text)
        done = subprocess.run(
            [*run, "import", "--format", "lanbi-csv", str(file), "--config", str(config)], cwd=old, env=clean, capture_output=True, text=True, check=False
        )
        print(done.stdout[-300:], done.stderr[-1500:])
        if done.returncode:
            sys.exit(done.returncode)
    told = subprocess.run(
        [sys.executable, "-c", SAY.format(root=str(old), data=str(data))], cwd=old, env=clean, capture_output=True, text=True, check=True
    ).stdout
    (data / "expected.json").write_text(json.dumps(json.loads(told)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
