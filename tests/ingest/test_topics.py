"""docs/topics.md is about this code: its words, its ranges, its example."""

from __future__ import annotations

import re
from pathlib import Path

from domain.items import INF, ITEMS
from domain.message import Message, decode
from domain.reasons import ALL
from ingest.entries import EVENTS
from ingest.listener import TOPICS

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "topics.md").read_text(encoding="utf-8")


def test_every_reason_stands_with_its_words_and_what_to_do() -> None:
    """Each reason has a row with the words that `deadletters show` prints, and advice."""
    rows = {cells[1].strip(" `"): cells for line in PAGE.splitlines() if len(cells := line.split("|")) == 6 and cells[1].startswith(" `")}

    assert set(ALL) <= set(rows)
    assert [] == [reason for reason, (zh, _) in ALL.items() if rows[reason][2].strip() != zh or not rows[reason][4].strip()]


def test_topics_and_events_are_those_of_the_listener() -> None:
    """The page names every topic that is subscribed and every event that is taken."""
    assert [] == [topic for topic in TOPICS if f"`{topic.replace('+', '<device>')}`" not in PAGE]
    assert [] == [event for event in EVENTS if f'"{event}"' not in PAGE]


def test_the_example_decodes() -> None:
    """The message of the page is a message."""
    (text,) = re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL)
    (message,) = decode(text.encode())

    assert isinstance(message, Message)


def number(text: str) -> float:
    """A number as the page writes it."""
    return float(text.replace("−", "-").replace(",", ""))


def test_ranges_are_those_of_the_domain() -> None:
    """Each range of the page is the one that accept applies."""
    air, water = PAGE[PAGE.index("## Hard ranges") :].split("Water:")
    for realm, text in (("air", air), ("water", water)):
        said = {
            name: (number(low), number(high))
            for names, low, high in re.findall(r"((?:`\w+` and )*`\w+`) (−?[\d,]+)–([\d,]+)", text)
            for name in re.findall(r"\w+", names.replace(" and ", " "))
        }

        assert {name: (one.low, one.high) for (of, name), one in ITEMS.items() if of == realm and one.high < INF} == said
