"""The API against its own description, case by case: schemathesis, all checks, stateful, over a real server.

The test asks for 2,000 cases; ``python -m tests.api.cases --cases 50000`` asks in rounds, each with a seed of its own, until so many were made.
Each round that came to its end is a line of the log, so a run that is stopped goes on with the next seed, and what was made counts.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from api.app import create_app
from tests.api.house import House
from tests.api.seeded import Hand
from tests.api.served import served

FOLDER = Path(__file__).parent


class Quick(Hand):
    """A clock on which a second passes at each look, so that the pace of one caller is never reached."""

    def monotonic(self) -> float:
        """A second later."""
        self.passed += 1
        return self.passed


class Round(NamedTuple):
    """What a round made: cases, schemathesis' exit code (0 = no check failed), its words."""

    cases: int
    code: int
    words: str


def tried(folder: Path, seed: int, examples: int) -> Round:
    """One round by an administrator's key over a county of its own; ``examples`` for each operation."""
    house = House(folder / "county")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(FOLDER / "schemathesis.toml"), "run"]
    options = [
        "--checks",
        "all",
        "--max-examples",
        str(examples),
        "--seed",
        str(seed),
        "--no-shrink",
        "--no-color",
        "--warnings",
        "off",
        "--request-timeout",
        "60",
    ]
    options += ["--generation-database", "none", "--header", f"Authorization: {house.bearer('admin')['Authorization']}"]
    app = create_app(replace(house.sources(), clock=Quick()))
    # Made once and kept; on a busy machine that alone may outlast schemathesis' patience for the description.
    app.openapi()
    with served(app) as client:
        address = f"http://127.0.0.1:{client.port}/api/v1/openapi.json"
        answer = subprocess.run([*command, address, *options], cwd=folder, capture_output=True, text=True, check=False)
    counted = re.search(r"([\d,]+) generated", answer.stdout)
    return Round(int(counted[1].replace(",", "")) if counted else 0, answer.returncode, answer.stdout + answer.stderr)


def noted(log: Path) -> list[dict[str, int]]:
    """Rounds of earlier runs, as the log has them; a last line that was cut off is not one."""
    if not log.exists():
        return []
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]


def until(cases: int, log: Path, seed: int, examples: int) -> list[dict[str, int]]:
    """Rounds from the first seed that the log does not have until so many cases were made; all rounds.

    A round without a case ends it: then nothing answers, and no further seed will change that.
    """
    rounds = noted(log)
    while sum(one["cases"] for one in rounds) < cases:
        following = max([seed - 1, *(one["seed"] for one in rounds)]) + 1
        with tempfile.TemporaryDirectory(prefix="lanbi-cases-") as folder:
            found = tried(Path(folder), following, examples)
        if found.code or not found.cases:
            log.with_suffix(f".{following}.txt").write_text(found.words, encoding="utf-8")
            sys.stdout.write(found.words[-8_000:])
        if not found.cases:
            break
        rounds.append({"seed": following, "examples": examples, "cases": found.cases, "code": found.code})
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(rounds[-1]) + "\n")
        sys.stdout.write(f"seed {following}: {found.cases} cases, exit {found.code}; {sum(one['cases'] for one in rounds)} in all\n")
        sys.stdout.flush()
    return rounds


def main() -> int:
    """Rounds until so many cases were made; 1 if there are fewer or a check failed in any."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--examples", type=int, default=35, help="for each operation and round")
    parser.add_argument("--seed", type=int, default=100, help="of the first round")
    parser.add_argument("--log", type=Path, default=Path("cases.jsonl"), help="rounds that are done; a run goes on after them")
    args = parser.parse_args()
    rounds = until(args.cases, args.log, args.seed, args.examples)
    made, failed = sum(one["cases"] for one in rounds), sum(1 for one in rounds if one["code"])
    sys.stdout.write(f"{made} cases in {len(rounds)} rounds, {failed} of them with a failed check\n")
    return int(failed > 0 or made < args.cases)


if __name__ == "__main__":
    sys.exit(main())
