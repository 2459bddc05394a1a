"""Every refusal speaks the caller's language: Chinese without English sentences, English without Chinese ones."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from api.faults import chinese
from tests.api.house import House
from tests.api.served import Client, served

ROOT = Path(__file__).resolve().parents[2]
JUDGES = ("marks", "statements", "filings", "tasks", "judgements", "fixed")
SENTENCE = re.compile(r"(?:[A-Za-z']{2,}[ ,]+){3}[A-Za-z']{2,}")
"""Four English words in a row are a sentence; names, ids and codes are not."""
HAN = re.compile(r"[\u4e00-\u9fff]")
MARK = {"source": "sc-a01", "from": "2025-10-01", "to": "2025-10-02", "flag": "R", "reason": "x", "document": "y"}
REPORT = {"target": "energy.total", "period": "2025", "value": "1", "document": "d", "person": "p"}
JSON = {"Content_Type": "application/json"}
ASKED: dict[str, tuple[str, str, bytes | None, dict[str, str]]] = {
    "unknown address": ("GET", "/api/v1/none", None, {}),
    "unknown id": ("GET", "/api/v1/targets/none", None, {}),
    "strange id": ("GET", "/api/v1/air/stations/%00/hours", None, {}),
    "range reversed": ("GET", "/api/v1/indicators?from=2025-10-02&to=2025-10-01", None, {}),
    "far future": ("GET", "/api/v1/indicators?from=9999-12-31T24:00:00%2B00:00", None, {}),
    "ten years of hours": ("GET", "/api/v1/indicators?period=hour&from=2015-01-01", None, {}),
    "no time": ("GET", "/api/v1/indicators?from=yesterday", None, {}),
    "wrong type": ("GET", "/api/v1/indicators?limit=many", None, {}),
    "unknown parameter": ("GET", "/api/v1/indicators?figur=aqi", None, {}),
    "twice": ("GET", "/api/v1/indicators?limit=1&limit=2", None, {}),
    "forged cursor": ("GET", "/api/v1/indicators?cursor=zzz", None, {}),
    "unknown form": ("GET", "/api/v1/targets", None, {"Accept": "image/png"}),
    "wrong token": ("GET", "/api/v1/targets", None, {"Authorization": "Bearer wrong"}),
    "no token": ("GET", "/api/v1/targets", None, {"Authorization": ""}),
    "strange host": ("GET", "/api/v1/targets", None, {"Host": "evil.example"}),
    "other method": ("DELETE", "/api/v1/targets", None, {}),
    "huge body": ("POST", "/api/v1/desk/marks", b"x" * 1_000_001, JSON),
    "no JSON": ("POST", "/api/v1/desk/marks", b"{", JSON),
    "broken UTF-8": ("POST", "/api/v1/desk/marks", b'{"source": "\xff\xfe"}', JSON),
    "missing fields": ("POST", "/api/v1/desk/marks", b"{}", JSON),
    "other body type": ("POST", "/api/v1/desk/marks", b"a=b", {"Content_Type": "text/plain"}),
    "mark reversed": ("POST", "/api/v1/desk/marks", json.dumps({**MARK, "to": "2025-09-01"}).encode(), JSON),
    "mark without a time": ("POST", "/api/v1/desk/marks", json.dumps({**MARK, "to": "soon"}).encode(), JSON),
    "mark of nowhere": ("POST", "/api/v1/desk/marks", json.dumps({**MARK, "source": "none"}).encode(), JSON),
    "mark of a strange item": ("POST", "/api/v1/desk/marks", json.dumps({**MARK, "items": ["gold"]}).encode(), JSON),
    "preview without analytics": ("POST", "/api/v1/desk/previews", json.dumps(MARK).encode(), JSON),
    "report of no number": ("POST", "/api/v1/desk/reported", json.dumps({**REPORT, "value": "much"}).encode(), JSON),
    "report of no period": ("POST", "/api/v1/desk/reported", json.dumps({**REPORT, "period": "soon"}).encode(), JSON),
    "replay of nothing": ("POST", "/api/v1/desk/replays", b'{"ids": []}', JSON),
    "wrong login": ("POST", "/api/v1/login", b'{"name": "x", "password": "y"}', JSON),
    "webhook of something else": ("POST", "/api/v1/alerts/grafana", b'{"alerts": 3}', JSON),
    "webhook with a strange signature": ("POST", "/api/v1/alerts/grafana", b"{}", {**JSON, "X_Grafana_Alerting_Signature": "00"}),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A county with logins."""
    return House(Path(tmp_path_factory.mktemp("languages")))


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[Client]:
    """Its API."""
    with served(create_app(house.sources(signed=True))) as found:
        yield found


@pytest.mark.parametrize("what", ASKED)
def test_each_refusal_in_both_languages(client: Client, house: House, what: str) -> None:
    """A 4xx or 503 with title and sentence in the language asked for."""
    method, path, body, more = ASKED[what]
    head = {**house.bearer("operator"), **{name: value for name, value in more.items() if value}}
    if more.get("Authorization") == "":
        del head["Authorization"]
    zh, en = (client.get(path, method=method, body=body, Accept_Language=language, **head) for language in ("zh-CN", "en"))

    assert zh.status == en.status
    assert 400 <= zh.status < 500 or zh.status == 503
    for answer, lacks, has in ((zh, SENTENCE, HAN), (en, HAN, SENTENCE)):
        said = answer.json()
        assert not lacks.search(f"{said['title']} {said['detail']}"), said
        assert has.search(said["detail"]) or answer is en, said
        assert said["detail"]


def sentences(module: str) -> Iterator[str]:
    """What a judge may say, with 7 where something is put in."""
    tree = ast.parse((ROOT / "domain" / f"{module}.py").read_text(encoding="utf-8"))
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(function):
            raised = isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and getattr(node.exc.func, "id", "") == "ValueError"
            told = isinstance(node, ast.Return) and "fault" in function.name
            named = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "message"
            if raised or told or named:
                yield from _texts(node)


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


@pytest.mark.parametrize("module", JUDGES)
def test_every_sentence_of_a_judge_has_its_chinese(module: str) -> None:
    """What the judges of entries say stands in the table of the API, sentence by sentence, so that none leaves in English."""
    said = [text for text in sentences(module) if " " in text]

    assert said
    assert [] == [text for text in said if not HAN.search(chinese(text))]
