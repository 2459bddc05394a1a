"""The runbook: a page for every alert, fresh, with commands that exist and a test that injects the fault."""

from __future__ import annotations

import re
import tomllib

import pytest

from dashboards.rules import RUNBOOK, alerting
from lanbi.cli import PROGRAMS
from scripts import runbook
from tests.dashboards.alarms import plant
from tests.dashboards.sample import sample, texts

RULES = [rule for group in alerting(sample())["groups"] for rule in group["rules"]]
UIDS = [rule["uid"] for rule in RULES]


def test_pages_are_fresh() -> None:
    """Pages and index are what rules and steps make of them, and no page is left over."""
    assert 0 == runbook.main(["--check"])


@pytest.mark.parametrize("uid", UIDS)
def test_every_alert_leads_to_its_page(uid: str) -> None:
    """The rule's link opens the runbook board, which has a panel for it; the page names the rule, what to look at and what to do."""
    rule = next(rule for rule in RULES if rule["uid"] == uid)
    board = texts()[f"dashboards/{RUNBOOK}.json"]
    text = (runbook.FOLDER / f"{runbook.page_of(uid)}.md").read_text()

    assert f"/d/{RUNBOOK}" == rule["annotations"]["runbook_url"]
    assert f"`{uid}`" in board
    assert f"| `{uid}` " in text
    assert all(f"## {head}\n" in text for head in ("先看", "怎么办", "何时算解决", "怎样验证这条告警"))


@pytest.mark.parametrize("uid", UIDS)
def test_every_page_names_the_test_that_injects_its_fault(uid: str) -> None:
    """The test named on the page runs for this rule: its fault can be planted, and lies beyond the rule's own threshold."""
    from tests.dashboards import test_alerts

    file, _, test = runbook.INJECTED.partition("::")
    planted = plant(uid)

    assert test_alerts.__file__.endswith(file)
    assert uid in test_alerts.UIDS and hasattr(test_alerts, test)
    assert f"'{runbook.INJECTED}[{uid}]'" in (runbook.FOLDER / f"{runbook.page_of(uid)}.md").read_text()
    assert (planted.faulty > planted.question.fire) == planted.question.above


def test_steps_are_complete_and_their_commands_exist() -> None:
    """Steps for every page and for no other; each `lanbi …` in them is a program, each other word of theirs is Chinese."""
    steps = tomllib.loads(runbook.STEPS.read_text())

    assert set(runbook.rules()) == set(steps)
    named = re.findall(r"`lanbi ([a-z]+)", runbook.STEPS.read_text())
    assert named
    assert set() == set(named) - set(PROGRAMS)
    assert all(step["look"] and step["act"] and step["done"] for step in steps.values())


PLANTED_ONLY = {"risk"}
"""Pages without a real fault: a forecast needs another year of readings than the filled county has."""
STEPS = tomllib.loads(runbook.STEPS.read_text())


@pytest.mark.parametrize("name", STEPS)
def test_the_table_of_real_faults_is_true(name: str) -> None:
    """Each named test exists, with its parameter; it is about a rule of the page; and a page without one is known."""
    from tests.dashboards import test_alerts, test_service_faults

    known = {
        "test_alerts.py": (test_alerts, set(test_alerts.FROM_READINGS)),
        "test_service_faults.py": (test_service_faults, {"service-store", "service-waiting"}),
    }
    one = STEPS[name]
    assert ("tests" in one) != (name in PLANTED_ONLY)
    for test in one.get("tests", ()):
        file, _, rest = test.partition("::")
        function, _, parameter = rest.rstrip("]").partition("[")
        module, parameters = known[file.rpartition("/")[2]]
        assert (runbook.ROOT / file).is_file() and hasattr(module, function)
        assert not parameter or (parameter in parameters and parameter == one["fires"])
    assert not one.get("fires") or one["fires"] in {rule.uid for rule in runbook.rules()[name]}
