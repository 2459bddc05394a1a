"""Runs the example of both READMEs and writes its output under the command: ``python -m scripts.readme``.

The input is a public file that lies outside the project; without it nothing is written.
"""

import csv
import gzip
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEV = ROOT.parent / "shared" / "data" / "dev"
READMES = (ROOT / "README.md", ROOT / "README.zh.md")
BLOCK = re.compile(r"(?<=<!-- example: jinan-2016 -->\n```console\n)\$ (?P<command>.*)\n(?P<output>(?:.*\n)*?)(?=```)")


def write_input(folder: Path) -> None:
    """The year 2016 of the public daily file with the column names of the calculator."""
    names = ("date", "pm25", "pm10", "so2", "no2", "co", "o3_8h")
    with gzip.open(DEV / "daily_jinan_2014_2018.csv.gz", "rt", encoding="utf-8") as source:
        rows = [row for row in csv.DictReader(source) if row["date"].startswith("2016-")]
    with (folder / "jinan-2016.csv").open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(("site", *names))
        writer.writerows([row["city"], *(row[name] for name in names)] for row in rows)


def example(text: str) -> tuple[str, str]:
    """Command and output of the example in a README."""
    block = BLOCK.search(text)
    if not block:
        message = "the README has no example"
        raise LookupError(message)
    return block["command"], block["output"]


def output_of(command: str, folder: Path) -> str:
    """What a line of the shell prints, with our program first on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    answer = subprocess.run(["bash", "-c", command], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True)
    return answer.stdout


def main() -> int:
    """Refresh both READMEs."""
    if not DEV.is_dir():
        print("public data not present: ../shared/data/dev; nothing written")
        return 1
    for readme in READMES:
        text = readme.read_text()
        command, _ = example(text)
        with tempfile.TemporaryDirectory() as folder:
            write_input(Path(folder))
            output = output_of(command, Path(folder))
        readme.write_text(BLOCK.sub(lambda _, line=f"$ {command}\n{output}": line, text))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
