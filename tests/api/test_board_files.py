"""The board's files: ours, small, without anything from elsewhere, and knowing no limit of the law."""

import re
from collections import Counter
from pathlib import Path

import pytest

from api.routes_board import FOLDER, Script
from domain.air import LEVELS
from domain.targets import UNITS
from lanbi.reports.gather import ROLES
from tests.api.served import Client

DOCS = Path(__file__).resolve().parents[2] / "docs"
FILES = sorted(path for path in FOLDER.iterdir() if path.suffix in {".js", ".css", ".html", ".svg"})
TEXT = {path.name: path.read_text() for path in FILES}


def test_page_names_the_versioned_script(client: Client) -> None:
    """The page asks for the chart script by its content's version, which may then be kept for a year."""
    page = client.get("/").text
    address = re.search(r'data-chart="([^"]+)"', page)
    assert address
    script = client.get(address[1], Accept_Encoding="gzip")

    assert ("public, max-age=31536000, immutable", "gzip") == (script.headers["cache-control"], script.headers["content-encoding"])
    assert len(script.body) < 2_000_000
    assert 304 == client.get(address[1], If_None_Match=script.headers["etag"]).status
    assert Script.find().path.stat().st_size == len(client.get(address[1]).body)


@pytest.mark.parametrize("name", sorted(TEXT))
def test_files_are_served_with_their_type(client: Client, name: str) -> None:
    """Each file has its media type and an ETag that is asked again each time."""
    answer = client.get(f"/board/{name}")
    media = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}[Path(name).suffix]

    assert (200, media, "no-cache") == (answer.status, answer.headers["content-type"].partition(";")[0], answer.headers["cache-control"])
    assert 304 == client.get(f"/board/{name}", If_None_Match=answer.headers["etag"]).status


def test_nothing_comes_from_elsewhere() -> None:
    """No file names another host (the SVG namespace is a name and no address), and none makes HTML of text."""
    for name, text in TEXT.items():
        assert [] == re.findall(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[a-z0-9.-]+\.[a-z]{2,}", text), name
        assert [] == re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", text), name


def test_the_law_is_not_typed() -> None:
    """Class colours, class words and units of targets stand in the domain only; the board asks the API for them."""
    text = "\n".join(TEXT[name] for name in TEXT if name.endswith((".js", ".css")))

    assert [] == [level.colour for level in LEVELS if level.colour.lower() in text.lower()]
    assert [] == [level.zh for level in LEVELS if len(level.zh) > 1 and level.zh in text]
    assert [] == [code for code, words in UNITS.items() if "/" in words[0] and words[0] in text]


def test_the_board_is_light() -> None:
    """All pages but the chart script are at most 150 kB; the first one, with what it loads and the county's figures, is at most 300 kB."""
    assert sum(path.stat().st_size for path in FILES) < 150_000


def test_today_is_light(client: Client) -> None:
    """What the first page loads, files and figures, is at most 300 kB on the line, charts aside."""

    def weight(path: str) -> int:
        return len(client.get(path, Accept_Encoding="gzip").body)

    wanted, seen = ["/"], dict[str, int]()
    while wanted:
        path = wanted.pop()
        text = client.get(path).text
        seen[path] = weight(path)
        wanted += [
            f"/board/{name}"
            for name in re.findall(r"""(?:from "\./|src="/board/|href="/board/)([a-z]+\.(?:js|css|svg))\"""", text)
            if f"/board/{name}" not in seen
        ]
    feeds = re.findall(r"=> `\$\{API\}/([a-z/]+)", TEXT["main.js"])
    figures = [weight(f"/api/v1/{name}") for name in feeds if not name.endswith("/")]
    figures.append(weight("/api/v1/air/stations/sc/days?from=2025-01-01"))

    assert {"/", "/board/main.js", "/board/board.css", "/board/words.js"} <= set(seen)
    assert len(feeds) >= 12
    assert 20_000 < sum(seen.values()) + sum(figures) < 300_000


def test_words_are_those_of_the_reports() -> None:
    """A station's role is called alike on the board and on paper, and no word stands twice, for the second would hide the first."""
    words = TEXT["words.js"]
    roles = re.search(r"^const ROLES = \{(.*)\};$", words, re.MULTILINE)
    keys = re.findall(r"^  (\w+): \[", words, re.MULTILINE)

    assert roles
    assert dict(ROLES) == dict(re.findall(r'(\w+): \["([^"]+)"', roles[1]))
    assert [] == [key for key, many in Counter(keys).items() if many > 1]


def test_the_guides_name_what_the_board_has() -> None:
    """A panel or mark that a page for operators sends people to is called so on the board."""
    guides = {path: path.read_text(encoding="utf-8") for folder in (DOCS, DOCS / "runbook") for path in folder.glob("*.md")}
    named = {(path.name, word) for path, text in guides.items() for word in re.findall(r"(?:看板(?:卡片上)?|工作台标记)“([^”]+)”", text)}

    assert 3 <= len(named)
    assert [] == [one for one in named if f'"{one[1]}"' not in TEXT["words.js"]]


def test_words_have_both_languages() -> None:
    """Every word is a pair, and each one asked for by name exists."""
    words = TEXT["words.js"]
    known = set(re.findall(r"^  (\w+): \[\"[^\"]+\", \"[^\"]+\"\],$", words, re.MULTILINE))
    asked = {key for text in TEXT.values() for key in re.findall(r"\bt\(\"(\w+)\"\)", text)}
    asked |= {key for text in TEXT.values() for key in re.findall(r'data-t="(\w+)"', text)} | {
        key for text in TEXT.values() for key in re.findall(r"\bhead\(\"(\w+)\"", text)
    }

    assert set() == asked - known
