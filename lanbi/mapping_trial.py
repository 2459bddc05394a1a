"""A mapping tried on the dead letters in a process of its own: ``python -m lanbi.mapping_trial``, question and answer as JSON.

Judging thousands of letters takes a processor for seconds; in the API's own process nobody else would be answered meanwhile.
"""

from __future__ import annotations

import json
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any, Final

from domain.errors import InputError, LanbiError
from lanbi import wiring
from lanbi.explaining import dry_run, tried
from lanbi.registry_edit import put_table, set_key

WHERE: Final = "mapping"


def one_mapping(text: str) -> str:
    """Id of the one mapping of a text.

    Raises
    ------
    InputError
        It is no TOML, or holds anything but one ``[[mapping]]``.
    """
    try:
        tree: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, and brackets as deep, are no TOMLDecodeError
        raise InputError(f"not TOML: {error}", WHERE, "mend this line") from error
    rows = tree.get("mapping")
    if set(tree) != {"mapping"} or not isinstance(rows, list) or len(rows) != 1 or not isinstance(rows[0], dict) or not isinstance(rows[0].get("id"), str):
        raise InputError("the text must be one [[mapping]] with its id", WHERE, "write one; docs/foreign.md explains every key")
    return str(rows[0]["id"])


def mapped(text: str, device: str, mapping: str) -> str:
    """The registry's text with this mapping in the place of the one of its id, and the device going by it.

    Raises
    ------
    InputError
        The device's mapping is a dated list that names another: which day the new one counts from only the file can say.
    """
    name = one_mapping(mapping)
    text = put_table(text, "mapping", name, mapping)
    row = next((one for one in tomllib.loads(text).get("device", []) if one.get("id") == device), None)
    if row is None:
        raise InputError(f"the registry has no device {device}", "device", "`lanbi registry` and the registry's file show the ids")
    if isinstance(row.get("mapping"), list):
        if row["mapping"][-1].get("value") == name:
            return text
        raise InputError(f"mapping of device {device} is written in a way that cannot be changed here", "registry", "put it in force by lanbi registry apply")
    return text if row.get("mapping") == name else set_key(text, "device", device, "mapping", name)


def main() -> int:
    """Answer the question on standard input."""
    asked = json.load(sys.stdin)
    try:
        settings = wiring.settings(asked["config"])
        one_mapping(asked["mapping"])
        with tempfile.TemporaryDirectory(prefix="lanbi-mapping-") as folder:
            file = Path(folder) / "mapping.toml"
            file.write_text(asked["mapping"], encoding="utf-8")
            registry = tried(wiring.registry(settings), file, asked["device"])
        found = dry_run(settings.data, registry, asked["device"])
    except LanbiError as error:
        sys.stdout.write(json.dumps({"error": error.what, "input": isinstance(error, InputError)}))
        return error.exit_code
    sys.stdout.write(json.dumps(found._asdict()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
