"""A county with logins on: one person and one key of every role."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from api.accounts import Doors
from api.rights import ROLES
from api.sources import Sources
from lanbi import wiring
from lanbi.accounts import AccountFile
from lanbi.desk import PersonDesk
from lanbi.duty import DutyFile
from lanbi.reports.kinds import written
from lanbi.secret import Secret
from tests.api.seeded import NS, PLANS, County

OWN, FOREIGN = "e-001", "e-002"
SECRET = "signing-secret"
PASSWORD = "Correct-Horse-7"
START = 1_800_000_000


@dataclass
class Wall:
    """The machine's clock, turned by hand."""

    now: int = START

    def now_ns(self) -> int:
        """Where it stands."""
        return self.now * NS

    def monotonic(self) -> float:
        """The same."""
        return float(self.now)

    def sleep(self, seconds: float) -> None:
        """Pass time."""
        self.now += int(seconds)


class House:
    """Accounts, keys and the county behind them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.wall = Wall()
        self.county = County(folder)
        self.accounts = AccountFile(folder, self.wall)
        file = folder / "lanbi.toml"
        file.write_text(f'data = "{folder}"\ncounty = "{PLANS / "sample-county.toml"}"\n', encoding="utf-8")
        self.settings = wiring.settings(str(file))
        self.keys = {role: self.accounts.give(f"key-{role}", role, [], [OWN] if role == "enterprise" else [], 30) for role in ROLES}

    def sources(self, *, login: bool = True, names: frozenset[str] = frozenset(), signed: bool = False) -> Sources:
        """What the API reads from and writes to."""
        duty = DutyFile(self.county.data, self.wall, Secret(SECRET) if signed else None)
        return replace(
            self.county.sources(),
            doors=Doors(self.accounts, self.accounts, login, names),
            desk=PersonDesk(self.settings),
            duty=duty,
            report=partial(written, self.county.sources()),
        )

    def bearer(self, role: str) -> dict[str, str]:
        """Header of a role's key; none for nobody."""
        return {"Authorization": f"Bearer {self.keys[role]}"} if role in self.keys else {}
