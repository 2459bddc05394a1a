"""The documents cannot rot: what users meet stands in them, both READMEs keep step, and the example is run."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from api import timing
from domain import reasons
from domain.indicators import FIGURES
from domain.items import ITEMS
from domain.readings import FLAGS
from domain.targets import STATUSES
from lanbi import metrics
from lanbi.cli import PROGRAMS
from lanbi.clock import SystemClock
from lanbi.settings_keys import KEYS
from lanbi.state import State
from scripts import readme

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
READMES = ("README.md", "README.zh.md")
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

METRICS = (
    "lanbi_ingest_messages_received_total",
    "lanbi_ingest_readings_received_total",
    "lanbi_ingest_readings_stored_total",
    "lanbi_ingest_readings_duplicate_total",
    "lanbi_ingest_readings_deadletter_total",
    "lanbi_ingest_readings_quarantined_total",
    "lanbi_ingest_items_refused_total",
    "lanbi_journal_days_until_full",
    "lanbi_journal_pending_readings",
    "lanbi_journal_bytes",
    "lanbi_journal_oldest_seconds",
    "lanbi_store_up",
    "lanbi_store_write_seconds",
    "lanbi_store_retries_total",
    "lanbi_broker_connected",
    "lanbi_broker_last_packet_age_seconds",
    "lanbi_sequence_gaps_total",
    "lanbi_api_request_seconds",
)


def read(name: str) -> str:
    """A page of the project."""
    return (ROOT / name).read_text()


def prose(name: str) -> str:
    """A page without its code blocks."""
    return re.sub(r"```.*?```", "", read(name), flags=re.DOTALL)


def blocks(name: str) -> list[str]:
    """The code blocks of a page, in order."""
    return re.findall(r"```.*?```", read(name), flags=re.DOTALL)


def test_both_readmes_have_the_same_shape() -> None:
    """A heading, table or list that one README has, the other has at the same place."""
    shapes = [[re.match(r"#*|\||\*|!", line.strip()).group() for line in prose(name).splitlines() if line.strip()] for name in READMES]  # type: ignore[union-attr]

    assert shapes[0] == shapes[1]


def test_both_readmes_show_the_same_code() -> None:
    """Commands, pictures of the flow and outputs are the same in both languages."""
    assert blocks(READMES[0]) == blocks(READMES[1])


def test_both_readmes_lead_to_the_same_pages() -> None:
    """Both READMEs link the same pages; only themselves and their screenshot differ."""
    links = [re.findall(r"\]\(([^)]+)\)", prose(name)) for name in READMES]

    assert links[0][2:] == links[1][2:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of every page names a file that is there."""
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()) if "://" not in link]

    assert [] == [link for link in links if link and not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_rows_stand_in_tables(page: Path) -> None:
    """A row that an empty line cuts off from its table is shown as text: what begins like a table has its line of dashes."""
    lines = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL).splitlines()
    heads = [place for place, line in enumerate(lines) if line.startswith("|") and not (place and lines[place - 1].startswith("|"))]

    assert [] == [lines[place] for place in heads if not re.fullmatch(r"[|\s:-]+", "".join(lines[place + 1 : place + 2]))]


@pytest.mark.parametrize("name", READMES)
def test_every_program_is_in_the_readmes(name: str) -> None:
    """The table of programs is the command line's, no more and no less."""
    assert set(PROGRAMS) == set(re.findall(r"\| `lanbi ([a-z]+)` \|", read(name)))


@pytest.mark.parametrize("name", READMES)
def test_readmes_name_only_make_targets_that_exist(name: str) -> None:
    """`make something` in a README is a target of the Makefile."""
    targets = set(re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE).group(1).split())  # type: ignore[union-attr]

    assert set() == set(re.findall(r"make ([a-z]+)\b(?=[`\n])", read(name))) - targets


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_explains_itself(name: str) -> None:
    """Each program has a help in plain words that ends with an example."""
    answer = subprocess.run([sys.executable, "-m", "lanbi", name, "--help"], capture_output=True, text=True, check=False, cwd=ROOT)

    assert (0, "") == (answer.returncode, answer.stderr)
    assert f"lanbi {name}" in answer.stdout.split("options:")[-1]


def test_metrics_are_the_promised_and_documented_ones(tmp_path: Path) -> None:
    """Every promised metric is scraped, and every scraped one stands in the page of the operators."""
    State(tmp_path).close()
    scraped = {metric.name for metric in metrics.collect(tmp_path, SystemClock())} | {timing.NAME}

    assert set() == set(METRICS) - scraped
    assert set() == scraped - set(re.findall(r"lanbi_[a-z_]+", read("docs/operations.md")))


def test_every_reason_code_is_documented() -> None:
    """Each reason for which something is refused or held stands in docs/topics.md."""
    assert [] == [reason for reason in reasons.ALL if f"`{reason}`" not in read("docs/topics.md")]


def test_every_figure_is_documented() -> None:
    """Each stored figure stands in docs/indicators.md."""
    assert [] == [figure for figure in FIGURES if f"`{figure}`" not in read("docs/indicators.md")]


def test_glossary_knows_every_item_and_flag() -> None:
    """Each measured item, with its unit, and each flag letter stands in the glossary."""
    text = read("docs/glossary.md")

    assert [] == [item.name for item in ITEMS.values() if f"`{item.name}`" not in text or item.unit not in text]
    assert [] == [letter for letter, (_, english) in FLAGS.items() if f"{letter} {english}" not in text]


def test_glossary_says_what_the_board_says() -> None:
    """The states of a target, and what becomes of a reading, have one Chinese word each, on every page and screen."""
    text = read("docs/glossary.md")

    assert [] == [code for code, (zh, _) in STATUSES.items() if f"`{code}` {zh}" not in text]
    assert [] == [code for code in ("deadletter", "quarantined") if f"`{code}` | – | {reasons.OUTCOMES[code][0]} |" not in text]
    assert "入库 + 重复 + 死信 + 待审" == " + ".join(zh for zh, _ in reasons.OUTCOMES.values())
    assert "入库 + 重复 + 死信 + 待审" in read("README.zh.md")


def test_every_settings_key_is_documented() -> None:
    """Each key of lanbi.toml stands in docs/settings.md."""
    assert [] == [key for key in KEYS if f"`{key}`" not in read("docs/settings.md")]


@pytest.mark.skipif(not readme.DEV.is_dir(), reason="public data not present: ../shared/data/dev")
def test_readme_example_is_real(tmp_path: Path) -> None:
    """The output under the README's command is what the command prints (`python -m scripts.readme` refreshes it)."""
    command, output = readme.example(read("README.md"))
    readme.write_input(tmp_path)

    assert output == readme.output_of(command, tmp_path)
    assert (166, 24, 75.4) == tuple(json.loads(output)[0][name] for name in ("good_days", "heavy_days", "pm25_mean"))
