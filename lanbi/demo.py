"""`lanbi demo`: a simulated county on one machine, in one data folder, from nothing to a board.

The folder tells the whole story: ``demo.json`` what was asked for, ``lanbi.toml`` the generated settings, ``clock.json`` the
simulated time. A second start goes on where the first one stopped.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from domain.civil import SHANGHAI, day_end, day_of, iso, parse_time
from domain.errors import InputError, WorkError
from lanbi import clock as clocks
from lanbi.processes import address, answers, family, free, free_port, program, until_told
from lanbi.supervisor import Program, Supervisor, lean, sole, spawn

START: Final = "2025-10-01T00:00:00+08:00"
FASTEST: Final = 3600.0
SEED: Final = 0
HISTORY_DAYS: Final = 365
COUNTY: Final = "sample-county.toml"
PLAN: Final = "chiping.toml"
BROKER_PORT: Final = 1883


@dataclass(frozen=True, slots=True)
class Story:
    """What a demo folder is about; fixed at its first start."""

    seed: int
    start: int
    days: int
    """Days of history before the start."""
    written: bool = False
    """Whether the history is written."""

    def save(self, folder: Path) -> None:
        """Replace ``demo.json`` whole."""
        draft = folder / "demo.new"
        draft.write_text(json.dumps(asdict(self)), encoding="utf-8")
        draft.replace(folder / "demo.json")

    @property
    def last_day(self) -> int:
        """Last whole civil day before the start; history ends with it and the devices begin behind it."""
        day = day_of(self.start)
        return day if day_end(day) == self.start else day - 1


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asked for; None where it said nothing."""

    http: str
    data: Path
    speed: float
    start: str | None
    seed: int | None
    days: int = HISTORY_DAYS
    record: Path | None = None


def demo(wish: Wish, say: Callable[[str], None], environment: Mapping[str, str]) -> int:
    """Run the demo until it is told to stop; returns the exit code.

    Raises
    ------
    DataFolderBusy
        Another demo runs on the folder.
    PortTaken
        The address of the board is in use.
    InputError
        The folder holds something else, or another seed or start than asked for.
    """
    _check_speed(wish.speed)
    host, port = address(wish.http)
    with sole(wish.data):
        free_port(host, port)
        story = _story(wish)
        _settings(wish)
        stopped = None if story.written else _history(wish, story, say, environment)
        if stopped is not None:
            return stopped
        clock = clocks.begin(wish.data / "clock.json", story.start * 10**9, wish.speed)
        say(f"模拟时间 simulated time {iso(clock.now_ns() // 10**9)}, ×{wish.speed:g}; 数据 data: {wish.data}")
        greeter = _Greeter(wish, clock, say)
        own = {name: value for name, value in environment.items() if not name.startswith("LANBI_")}
        return Supervisor(programs(wish, story), clock, say, lean(own), greeter.tick).run()


def programs(wish: Wish, story: Story) -> list[Program]:
    """Broker, the three processes of lanbi, and the devices."""
    config, log = str(wish.data / "lanbi.toml"), wish.data / "log"
    live = ["simulate", "live", "--seed", str(story.seed), "--from", iso(day_end(story.last_day))]
    if wish.record:
        live += ["--record", str(wish.record)]
    return [*family(wish.data, config, log=log, broker=True), program("simulate", live, wish.data, config, log)]


class _Greeter:
    """Once a second: reserves simulated time, and says where the board is as soon as it answers."""

    def __init__(self, wish: Wish, clock: clocks.SimClock, say: Callable[[str], None]) -> None:
        self.wish, self.clock, self.say, self.greeted = wish, clock, say, False

    def tick(self) -> None:
        clocks.reserve(self.wish.data / "clock.json", self.clock)
        if not self.greeted and answers(*address(self.wish.http)):
            self.greeted = True
            self.say(f"看板 board: http://{self.wish.http}  (Ctrl-C 停止 stops)")
            self.say(f"命令 commands: lanbi --config {self.wish.data / 'lanbi.toml'} report day")


def _check_speed(speed: float) -> None:
    if not 0 < speed <= FASTEST:
        what = f"speed {speed:g} is not between 0 and {FASTEST:g}"
        raise InputError(what, "--speed", "60 means that a minute of the county takes a second")


def _story(wish: Wish) -> Story:
    path = wish.data / "demo.json"
    if path.exists():
        return _continued(path, wish)
    others = sorted(entry.name for entry in wish.data.iterdir() if entry.name != "lanbi.lock")
    if others:
        what = f"the folder is not a demo's: it holds {', '.join(others[:3])}"
        raise InputError(what, str(wish.data), "choose an empty or new folder with --data")
    return _begun(wish)


def _continued(path: Path, wish: Wish) -> Story:
    try:
        story = Story(**json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        what = f"not readable: {error}"
        raise WorkError(what, str(path), "choose a new folder with --data") from error
    asked = replace(story, seed=story.seed if wish.seed is None else wish.seed, start=_start(wish, story.start))
    if asked != story:
        what = f"this demo was begun with seed {story.seed} and start {iso(story.start)}"
        raise InputError(what, str(wish.data), "leave out --seed and --start to continue it, or choose another folder with --data")
    return story


def _begun(wish: Wish) -> Story:
    story = Story(SEED if wish.seed is None else wish.seed, _start(wish, parse_time(START)), wish.days)
    real = clocks.SystemClock().now_ns() // 10**9
    if story.start > real:
        what = f"the start {iso(story.start)} lies in the future"
        raise InputError(what, "--start", "simulated time never passes real time")
    for name in (COUNTY, PLAN):
        shutil.copyfile(sample(name), wish.data / name)
    clocks.begin(wish.data / "clock.json", story.start * 10**9, 0)
    story.save(wish.data)
    return story


def _start(wish: Wish, otherwise: int) -> int:
    if wish.start is None:
        return otherwise
    try:
        return parse_time(wish.start, SHANGHAI)
    except ValueError as error:
        raise InputError(str(error), "--start", f"write it like {START}") from error


def _settings(wish: Wish) -> None:
    """Write the settings anew at each start: addresses may have changed, nothing else is the user's to keep here."""
    host = "127.0.0.1"
    ports = {"broker": free(BROKER_PORT), "ingest": free(), "analyse": free()}
    text = f"""# 由 lanbi demo 生成，每次启动重写 · generated by `lanbi demo`, rewritten at each start
data = {_quoted(wish.data)}
county = {_quoted(wish.data / COUNTY)}
targets = [{_quoted(wish.data / PLAN)}]
clock = "simulated"

[broker]
url = "mqtt://{host}:{ports["broker"]}"
username = "lanbi-ingest"
password_file = {_quoted(wish.data / "secrets" / "broker")}

[store]
kind = "embedded"

[http]
listen = {_quoted(wish.http)}

[ingest]
health = "{host}:{ports["ingest"]}"

[analyse]
health = "{host}:{ports["analyse"]}"
"""
    draft = wish.data / "lanbi.new"
    draft.write_text(text, encoding="utf-8")
    draft.replace(wish.data / "lanbi.toml")


def _quoted(value: object) -> str:
    """A TOML basic string; JSON's escapes are a part of TOML's."""
    return json.dumps(str(value), ensure_ascii=False)


def _history(wish: Wish, story: Story, say: Callable[[str], None], environment: Mapping[str, str]) -> int | None:
    """The year before the start, through the journal like everything else, by a process of its own: its memory goes with it.

    Returns
    -------
    int or None
        Exit code if it was told to stop; the next start goes on where it was.
    """
    say(f"首次启动：写入 {story.days} 天历史数据 · first start: writing {story.days} days of history")
    words = ["simulate", "history", "--seed", str(story.seed), "--until", iso(day_end(story.last_day)), "--days", str(story.days)]
    own = {name: value for name, value in environment.items() if not name.startswith("LANBI_")}
    writer = program("history", words, wish.data, str(wish.data / "lanbi.toml"), None)
    process = spawn(writer, lean(own))
    clock = clocks.SystemClock()
    with until_told() as told:
        while process.poll() is None and not told():
            clock.sleep(0.1)
    if told():
        process.kill()
        process.wait()
        return told.exit_code
    code = process.returncode
    if code:
        what = f"writing the history ended with code {code}"
        raise WorkError(what, str(wish.data), "start the demo again: it goes on where it stopped")
    replace(story, written=True).save(wish.data)
    return None


def sample(name: str) -> Path:
    """A sample county or plan: beside the code in a clone, inside the package once installed."""
    here = Path(__file__).resolve().parent
    return next((path for path in (here / "_plans" / name, here.parent / "plans" / name) if path.exists()), here / "_plans" / name)
