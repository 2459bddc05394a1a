"""JSON Schemas, AsyncAPI and the onboarding page: fresh, whole, and of one mind with the decoders."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from domain.civil import iso
from domain.message import decode
from ingest.deadletters import answers, rows
from scripts import schemas
from tests.ingest.county import Message, county
from tests.lanbi.ingest_house import ROOT, House, iotcore_broker, until

DATA = jsonschema.Draft202012Validator(schemas.message())
SAMPLES = json.loads((ROOT / "tests" / "samples" / "messages.json").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "onboarding.md").read_text(encoding="utf-8")
GOOD = {"time": "2026-11-23T08:00:00+08:00", "span": 3600, "values": {"pm25": 58}}


def blocks(language: str) -> list[str]:
    """Code blocks of the onboarding page."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_files_are_those_of_the_code() -> None:
    """`python -m scripts.schemas` writes them."""
    assert [] == [path.name for path, text in schemas.files().items() if path.read_text(encoding="utf-8") != text]


@pytest.mark.parametrize("name", schemas.SCHEMAS)
def test_each_is_a_schema(name: str) -> None:
    """Of draft 2020-12."""
    jsonschema.Draft202012Validator.check_schema(schemas.SCHEMAS[name]())


@pytest.mark.parametrize("sample", [one for one in SAMPLES if not one.get("refused") and isinstance(one["payload"], dict | list)], ids=lambda one: one["name"])
def test_what_is_accepted_is_valid(sample: dict[str, Any]) -> None:
    """Every golden message that is accepted whole."""
    DATA.validate(sample["payload"])


@pytest.mark.parametrize(
    "bad",
    [
        {key: value for key, value in GOOD.items() if key != "time"},
        {**GOOD, "span": -1},
        {**GOOD, "seq": -1},
        {**GOOD, "spam": 1},
        {**GOOD, "values": {"pm25": "58"}},
        {**GOOD, "values": {}},
        {**GOOD, "values": {"pm26": 1}},
        {**GOOD, "flags": {"pm25": "Q"}},
        {**GOOD, "corrects": 1},
        [],
        "text",
    ],
)
def test_what_is_not_valid_is_not_accepted(bad: Any) -> None:
    """The schema and accept refuse the same."""
    from ingest.accept import accept

    verdicts = accept(Message(json.dumps(bad).encode()), county())

    assert not DATA.is_valid(bad)
    assert all(verdict.refused for verdict in verdicts)


def test_answers_are_valid() -> None:
    """An error as it is really sent, and the receipt of the page."""
    from ingest.accept import accept

    record = Message(json.dumps({**GOOD, "seq": 4, "values": {"pm25": 9_999}}).encode())
    (verdict,) = accept(record, county())
    (answer,) = answers(rows(record, verdict, verdict.refused))

    jsonschema.Draft202012Validator(schemas.refusal()).validate(answer.body)
    jsonschema.Draft202012Validator(schemas.receipt()).validate({"run": 0, "ranges": [[1, 1203], [1205, 1209]], "time": "2026-11-23T08:00:01+08:00"})


def references(tree: Any) -> list[str]:
    """Every $ref."""
    if isinstance(tree, dict):
        return [*([tree["$ref"]] if "$ref" in tree else []), *(ref for value in tree.values() for ref in references(value))]
    return [ref for value in tree for ref in references(value)] if isinstance(tree, list) else []


def test_asyncapi_is_whole() -> None:
    """Version 3: every reference leads to a channel or a schema, every channel has an operation, and the addresses are the promised topics."""
    tree = json.loads((schemas.FOLDER / "asyncapi.json").read_text(encoding="utf-8"))
    refs = references(tree)
    local = {ref.removeprefix("#/channels/") for ref in refs if ref.startswith("#")}
    topics = (ROOT / "docs" / "topics.md").read_text(encoding="utf-8")

    assert {"asyncapi", "info", "channels", "operations"} <= tree.keys()
    assert local == tree["channels"].keys() == schemas.SCHEMAS.keys()
    assert [] == [ref for ref in refs if ref.startswith("./") and not (schemas.FOLDER / ref).exists()]
    assert [] == [one["address"] for one in tree["channels"].values() if one["address"].replace("{device}", "<device>") not in topics]


def test_messages_of_the_page_are_read() -> None:
    """The first is a message, the second an error."""
    message, error = (json.loads(block) for block in blocks("json"))

    DATA.validate(message)
    assert [58, 0.9] == list(decode(json.dumps(message).encode())[0].values.values())  # type: ignore[union-attr]
    jsonschema.Draft202012Validator(schemas.refusal()).validate(error)


def here(text: str, port: int) -> str:
    """An example of the page, at a broker of this machine without TLS."""
    for theirs, ours in (
        ("lanbi.example.cn", "127.0.0.1"),
        ("2026-11-23T08:00:00+08:00", iso(int(time.time()) // 3_600 * 3_600 - 86_400)),  # the page's own will be too old one day
        ("8883", str(port)),
        ("d-001", "air1"),
        ("--cafile ca.pem ", ""),
        ('client.tls_set("ca.pem")\n', ""),
    ):
        text = text.replace(theirs, ours)
    return text


def test_the_examples_of_the_page_work(tmp_path: Path) -> None:
    """The one with paho gets its receipt; mosquitto_pub's, where that program is, is stored too."""
    house = House(tmp_path)
    (shell,), (script,) = blocks("sh"), blocks("python")
    with iotcore_broker(house.port, tmp_path):
        house.listen()
        answer = subprocess.run([sys.executable, "-c", here(script, house.port)], capture_output=True, text=True, check=False, timeout=100)
        wanted = 1
        if shutil.which("mosquitto_pub"):
            subprocess.run(here(shell, house.port), shell=True, check=True, timeout=60)  # noqa: S602  the page's own words
            wanted += 1
        until(lambda: len(house.rows()) >= wanted, "both are stored")
        house.stop()

    assert ("", True) == (answer.stderr, "/receipt'" in answer.stdout and "'ranges': [[0, 0]]" in answer.stdout)
    assert wanted == len(house.rows())
