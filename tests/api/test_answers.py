"""How answers leave: JSON, CSV, ETag, time, and the words of problems."""

import csv
import io
import json

import pytest

from tests.api.seeded import NOW
from tests.api.served import Client

HOURS = "/api/v1/air/stations/sc-a01/hours"


def test_known_answers_cost_nothing(client: Client) -> None:
    """An answer that the caller holds already comes back as 304 without a body, under any spelling of its tag."""
    first = client.get("/api/v1/targets")
    tag = first.headers["etag"]

    for said in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = client.get("/api/v1/targets", If_None_Match=said)
        assert (304, b"", tag) == (again.status, again.body, again.headers["etag"])
    assert 200 == client.get("/api/v1/targets", If_None_Match='"other"').status


def test_series_come_as_csv(client: Client) -> None:
    """A series is CSV for those who ask for it, in the columns of the hourly files, with units beside it."""
    answer = client.get(HOURS, Accept="text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert "text/csv; charset=utf-8; header=present" == answer.headers["content-type"]
    assert ["site", "time", "pm25", "pm10", "so2", "no2", "co", "o3"] == list(rows[0])[:8]
    assert ("sc-a01", "2025-10-15T10:00:00+08:00", "20.0") == (rows[-1]["site"], rows[-1]["time"], rows[-1]["pm25"])
    assert "pm25=ug/m3, pm10=ug/m3, so2=ug/m3, no2=ug/m3, co=mg/m3, o3=ug/m3" == answer.headers["x-lanbi-units"]


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("text/html, application/*;q=0.8", "application/json"),
        ("text/csv, application/json", "application/json"),
        ("text/csv;q=0.9, application/json;q=0.1", "text/csv"),
        ("text/*, */*;q=0.1", "text/csv"),
        ("text/csv;q=0, */*", "application/json"),
        ("", "application/json"),
    ],
)
def test_accept_is_understood(client: Client, accept: str, media: str) -> None:
    """The closest media range decides, with its quality; JSON where both are liked the same."""
    assert media == client.get(HOURS, Accept=accept).headers["content-type"].partition(";")[0]


@pytest.mark.parametrize(("path", "accept"), [(HOURS, "image/png"), ("/api/v1/targets", "text/csv"), (HOURS, "application/json;q=0"), (HOURS, "text/csv;q=x")])
def test_other_formats_are_refused(client: Client, path: str, accept: str) -> None:
    """What is not offered is 406 with a word on what is."""
    answer = client.get(path, Accept=accept)

    assert (406, "application/problem+json") == (answer.status, answer.headers["content-type"])
    assert "application/json" in answer.json()["detail"]


def test_problems_speak_the_callers_language(client: Client) -> None:
    """Chinese unless the caller's first language is another."""
    said = {language: client.get("/api/v1/targets/none", Accept_Language=language).json()["detail"] for language in ("", "zh-CN,en", "en-GB,zh", "de")}

    assert {"": "登记册里没有 none。", "zh-CN,en": "登记册里没有 none。", "en-GB,zh": "The registry has no none.", "de": "The registry has no none."} == said


def test_a_person_gets_a_page(client: Client) -> None:
    """A browser that asks for a page which is not there gets one in both languages with the way back; a program, and whoever asks the API, gets the problem."""
    browser = "text/html,application/xhtml+xml,*/*;q=0.8"
    page = client.get("/board/none.html", Accept=browser)
    kinds = [client.get(path, Accept=accept).headers["content-type"] for path, accept in (("/board/none.html", "*/*"), ("/api/v1/targets/none", browser))]

    assert (404, "text/html; charset=utf-8") == (page.status, page.headers["content-type"])
    assert all(words in page.text for words in ("没有这个地址", "Not found", "没有这个文件。", "No such file.", 'href="/"'))
    assert ["application/problem+json"] * 2 == kinds


def test_every_answer_carries_time_and_safety(client: Client) -> None:
    """The county's time and the security headers stand on every answer, also on refusals and on 304."""
    tag = client.get("/api/v1/county").headers["etag"]
    for answer in (client.get("/"), client.get("/nowhere"), client.get("/api/v1/county", If_None_Match=tag)):
        assert "2025-10-15T10:20:00+08:00" == answer.headers["x-lanbi-time"]
        assert "nosniff" == answer.headers["x-content-type-options"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "unsafe-eval" not in answer.headers["content-security-policy"]
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
    assert NOW % 60 == 0


def test_long_answers_are_compressed(client: Client) -> None:
    """Whoever understands gzip gets it."""
    answer = client.get("/api/v1/targets", Accept_Encoding="gzip")

    assert "gzip" == answer.headers["content-encoding"]
    assert len(answer.body) < len(client.get("/api/v1/targets").body) / 4


def test_answers_are_strict_json(client: Client) -> None:
    """No answer contains NaN or Infinity."""

    def refuse(word: str) -> None:
        raise AssertionError(word)

    for path in ("targets", "air/stations", "completeness", "account", "indicators", "legend"):
        json.loads(client.get(f"/api/v1/{path}").body, parse_constant=refuse)
