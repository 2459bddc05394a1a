"""`lanbi simulate --scenario`: a scene of some days over MQTT, its truth in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.civil import iso
from domain.errors import BrokerAway, InputError
from domain.places import Registry
from domain.ports import Clock
from domain.reasons import TOO_OLD_S
from edge_sim import scenario_files
from edge_sim.devices import SimulatedDevice
from edge_sim.fleet import OWN_LINES, Fleet, Manner
from edge_sim.line import Address
from edge_sim.pace import PacedClock, collect_seldom
from edge_sim.scene import Scene
from edge_sim.spool import Spool
from edge_sim.truthlog import TruthLog, begun
from lanbi.processes import answers, say, until_told
from lanbi.progress import Progress

HURRIED: Final = "max"
FASTEST: Final = 86_400.0
AHEAD_S: Final = 4 * 86_400
"""How much of a scene each device computes at once; with thousands of devices less, for memory."""
AHEAD_DEVICES: Final = 400


@dataclass(frozen=True, slots=True)
class Play:
    """What the command line asked for.

    Attributes
    ----------
    speed : float
        Simulated seconds a real second; 0 = as fast as everything is confirmed.
    begin : int or None [s]
        First instant; None = the scenario's latest one that has passed.
    folder : Path
        Truth log and spool.
    lines : int
        Connections; 0 = one a device.
    receipts : bool
        Whether readings are kept until lanbi's receipt, or only until the broker's PUBACK.
    """

    scenario: str
    seed: int
    speed: float
    begin: int | None
    folder: Path
    lines: int = 0
    receipts: bool = True


def speed_of(text: str) -> float:
    """``--speed``: a number, or ``max`` (0)."""
    try:
        speed = 0.0 if text == HURRIED else float(text)
    except ValueError:
        speed = -1.0
    if text != HURRIED and not 0 < speed <= FASTEST:
        raise InputError(f"not a speed: {text!r}", "--speed", "write max, or simulated seconds a second: 60 lets a minute pass in one")
    return speed


def play(registry: Registry, address: Address, clock: Clock, wish: Play) -> int:
    """Publish the scene until it is said and confirmed, or until told to stop; a second call goes on. Returns the exit code.

    Raises
    ------
    BrokerAway
        Nobody listens at the broker's address.
    """
    scene = staged(registry, clock, wish)
    if not answers(address.host, address.port):
        raise BrokerAway("the broker cannot be reached", f"{address.host}:{address.port}", "start it, or name another with --broker mqtt://HOST:PORT")
    if clock.now_ns() // 10**9 - scene.begin > TOO_OLD_S:
        say(f"场景始于400天前，lanbi 会暂扣 begins more than 400 days ago, lanbi will hold it as too-old: {iso(scene.begin)}; 用 use --from")
    fleet = fleet_of(scene, address, clock, wish)
    bar = Progress("模拟 simulated", fleet_size(scene), clock)
    for absent in sorted(set(scene.missing)):
        say(f"本区县没有此项，略过 not in this county, left out: {absent}")
    say(f"{wish.scenario}: {iso(scene.begin)} — {iso(scene.end)}, {len(fleet.links)} 台设备 devices, {len(scene.faults)} 处故障 faults → {wish.folder}")
    collect_seldom()
    with until_told() as told:
        fleet.run(told, lambda one: bar.at(one.readings))
        bar.close()
        say(f"读数 readings {fleet.readings:,}，未确认 unconfirmed {len(fleet.spool):,}，错误回复 error replies {fleet.errors:,}")
        return told.exit_code


def staged(registry: Registry, clock: Clock, wish: Play) -> Scene:
    """The scene of a wish in a county; one that was begun in the wish's folder goes on from the same instant, however late it is by now."""
    if wish.lines < 0:
        raise InputError(f"{wish.lines} connections are none", "--connections", "write how many devices share, or leave it out: one each")
    scenario = scenario_files.load(wish.scenario)
    begin = begun(wish.folder).get("begin") if wish.begin is None else wish.begin
    return scenario.on(registry, wish.seed, scenario_files.begin_of(scenario, clock.now_ns() // 10**9) if begin is None else begin)


def fleet_of(scene: Scene, address: Address, clock: Clock, wish: Play) -> Fleet:
    """The fleet that plays it, its spool and truth log in the wish's folder."""
    named = scene.devices()
    if not named:
        raise InputError("no device of the registry speaks in this scenario", wish.scenario, "register one, or choose another scenario")
    if len(named) > OWN_LINES and not wish.lines:
        say(f"{len(named)} 台设备共用 {OWN_LINES} 条连接，服务器须允许 devices share {OWN_LINES} connections: the broker must allow that")
    ahead = AHEAD_S * AHEAD_DEVICES // max(AHEAD_DEVICES, len(named))
    devices = [SimulatedDevice(scene, one, ahead=ahead if not wish.speed else min(ahead, int(60 * wish.speed))) for one in named]
    about = {"scenario": wish.scenario, "speed": wish.speed or HURRIED, "missing": list(scene.missing)}
    paced = PacedClock(clock, scene.begin, wish.speed) if wish.speed else clock
    manner = Manner(unhurried=bool(wish.speed), lines=wish.lines, receipts=wish.receipts)
    log = TruthLog(wish.folder, scene, about)  # first: it refuses a folder that holds another scene
    return Fleet(devices, address, paced, Spool(wish.folder / "spool"), log, scene.begin, manner)


def fleet_size(scene: Scene) -> int:
    """About how many readings it will be; for progress."""
    length = scene.end - scene.begin
    return sum(length // one.interval * sum(scene.county.known(name) for name in one.sources.newest) for one in scene.devices())


def scenarios() -> list[str]:
    """One line a scenario that comes with lanbi."""
    known = [scenario_files.load(name) for name in scenario_files.names()]
    return [f"{one.name:16} {one.days:4} 天 d  {one.zh} · {one.en}" for one in known]
