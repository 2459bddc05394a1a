"""A house whose Mosquitto runs the shipped configuration, with the logins and rights that `lanbi broker` generates."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Final, Self

from lanbi.cli import main
from lanbi.processes import answers
from tests.faults.parts.house import House, Part, _or_name, _quoted, mosquitto
from tests.lanbi.broker_house import shipped

SAMPLE: Final = "plans/sample-county.toml"


@dataclass
class ShippedHouse(House):
    """As :class:`House`, but nobody comes in without a login, and each device is alone with its topics.

    Attributes
    ----------
    without : str
        Lines of the shipped configuration that begin so are left out, for the proof that they are needed.
    keepalive : int [s]
        Of ingest.
    """

    without: str = ""
    keepalive: int = 60
    host: str = "127.0.0.1"

    def __enter__(self) -> Self:
        """Make the logins, then start everything."""
        for whom in ("--ingest", "--all"):
            with redirect_stdout(io.StringIO()) as said:
                code = main(["broker", "passwd", whom, "--no-reload", "--config", str(self.config)])
            assert code == 0, said.getvalue()
        return super().__enter__()

    def passwords(self) -> dict[str, str]:
        """Clear text of every device's."""
        return {path.name: path.read_text(encoding="utf-8").strip() for path in self.secret("devices").iterdir()}

    def _settings(self) -> str:
        words = {"password_file": self.secret("broker"), "folder": self.folder / "broker", "pid_file": self.folder / "mosquitto.pid"}
        own = "\n".join(["[broker]", f"keepalive = {self.keepalive}", *(f"{key} = {_quoted(path)}" for key, path in words.items())])
        return super()._settings().replace("[broker]", own).replace("mqtt://127.0.0.1", f"mqtt://{self.host}")

    def _broker(self) -> Part:
        config = self.folder / "mosquitto.conf"
        (self.folder / "mosquitto").mkdir(exist_ok=True)
        lines = [line.format(port=self.broker_port) for line in shipped(self.folder, "mosquitto.conf") if not (self.without and line.startswith(self.without))]
        config.write_text("\n".join(["user root", *lines, self.mosquitto_more]) + "\n", encoding="utf-8")
        return Part(
            "mosquitto", [*_or_name(lambda: [mosquitto()]), "-c", str(config)], self.folder / "mosquitto.log", lambda: answers(self.host, self.broker_port)
        )
