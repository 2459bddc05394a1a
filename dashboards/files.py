"""Everything that Grafana reads from us, as named texts: what is written is a pure function of registry, plans and settings."""

from __future__ import annotations

import re
from typing import Any, Final

from dashboards.board import SOURCE, built
from dashboards.boards import BOARDS
from dashboards.boards.runbook import runbook
from dashboards.county import Bureau
from dashboards.finalize import finalize, written
from dashboards.routes import CHANNELS, channel, contact_point, mute_times, policies, templates
from dashboards.rules import alerting, watched
from dashboards.style import FOLDER_UIDS
from domain.errors import InputError

BOARD_FOLDER: Final = "环境监测"
VARIABLE: Final = re.compile(r"(?<!\$)\$\{([A-Z0-9_]+)\}")
OWN: Final = re.compile(rf"dashboards/env-[a-z0-9-]+\.json|provisioning/alerting/contact-({'|'.join(CHANNELS)})\.yaml")
"""Files that one county or setting has and another has not. Whatever else lies in the folder belongs to somebody else."""


def files(bureau: Bureau) -> dict[str, str]:
    """Path below the folder → text; JSON everywhere, which YAML's readers take as well.

    Raises
    ------
    InputError
        A plan follows a target that the figures do not know, or nothing is registered that a board could show.
    """
    if not bureau.registry.air_stations:
        raise InputError("no air station is registered", bureau.registry.county.id, "a board without a station would be empty; register one first")
    boards = [finalize(built(board(bureau), bureau)) for board in BOARDS]
    boards.append(finalize(built(runbook(bureau), bureau)))
    kept, _ = watched(bureau)
    teams = list(dict.fromkeys(one.team for one in kept))
    found: dict[str, Any] = {f"dashboards/{board['uid']}.json": board for board in boards}
    found |= {
        "provisioning/dashboards/lanbi.yaml": _provider(),
        "provisioning/datasources/lanbi.yaml": _source(bureau),
        "provisioning/alerting/rules.yaml": alerting(bureau),
        "provisioning/alerting/contact-duty-log.yaml": contact_point(bureau),
        "provisioning/alerting/policies.yaml": policies(bureau, teams),
        "provisioning/alerting/mute-times.yaml": mute_times(),
        "provisioning/alerting/templates.yaml": templates(),
        **{f"provisioning/alerting/contact-{name}.yaml": channel(name) for name in bureau.channels},
    }
    return {name: written(value) for name, value in sorted(found.items())}


def variables(texts: dict[str, str]) -> dict[str, list[str]]:
    """Environment variables that the provisioned files refer to, and where; boards are not interpolated."""
    found: dict[str, list[str]] = {}
    for name, text in texts.items():
        if name.startswith("provisioning/"):
            for variable in sorted(set(VARIABLE.findall(text))):
                found.setdefault(variable, []).append(name)
    return found


def _provider() -> dict[str, Any]:
    one = {
        "name": "lanbi", "orgId": 1, "folder": BOARD_FOLDER, "folderUid": FOLDER_UIDS[BOARD_FOLDER], "type": "file", "disableDeletion": True,
        "allowUiUpdates": False, "updateIntervalSeconds": 60, "options": {"path": "${LANBI_GRAFANA_DASHBOARDS}"},
    }  # fmt: skip
    return {"apiVersion": 1, "providers": [one]}


def _source(bureau: Bureau) -> dict[str, Any]:
    """The read-only token sees the bucket of figures and nothing else, for any viewer may query the data source."""
    name = f"{bureau.bucket}-figures"
    data = {"version": "InfluxQL", "dbName": name, "httpMode": "POST", "httpHeaderName1": "Authorization", "timeInterval": "1m", "maxSeries": 2_000}
    one = {
        "name": "lanbi", "uid": SOURCE["uid"], "type": SOURCE["type"], "access": "proxy", "orgId": 1, "isDefault": True, "editable": False,
        "url": "${LANBI_INFLUX_URL}", "database": name, "jsonData": data, "secureJsonData": {"httpHeaderValue1": "Token ${LANBI_GRAFANA_TOKEN}"},
    }  # fmt: skip
    return {"apiVersion": 1, "datasources": [one]}
