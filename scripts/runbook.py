"""Writes ``docs/runbook/``, one page an alert, and its index: ``python -m scripts.runbook`` (``--check`` only says whether they are fresh).

Thresholds, times and owners are the alert rules' own (``dashboards/watchlist.py``, for the sample county); what to look at and to do
stands in ``docs/runbook_steps.toml``. Rules of one kind that differ by target share a page.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any

from dashboards.boards.runbook import SEVERITY_ZH
from dashboards.rules import watched
from dashboards.watchlist import Watched
from lanbi.commands.dashboards import bureau
from lanbi.settings import load

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "runbook"
STEPS = ROOT / "docs" / "runbook_steps.toml"
FAMILIES = ("target", "quota", "risk", "budget")
"""Kinds of which there is a rule for each target of the plan."""
INJECTED = "tests/dashboards/test_alerts.py::test_a_rule_fires_on_its_fault_and_recovers"
REAL = (
    "上表的测试把告警所看的数值写进存储。下表的测试从另一端开始：真的进程出真的故障，或读数、填报本身有错，经接收和计算得出数值，再由同一条规则判断。\n"
    "The tests above write the judged figure. Those below begin at the other end: a real process with a real fault, or readings and entries that are wrong."
)
HEAD = "<!-- 由 python -m scripts.runbook 生成，勿手改 · generated, not to be edited -->"


def page_of(uid: str) -> str:
    """Name of the page of a rule."""
    family = uid.partition("-")[0]
    return family if family in FAMILIES else uid


def rules() -> dict[str, list[Watched]]:
    """Pages and the rules that they are about, for the county of the default settings."""
    found: dict[str, list[Watched]] = {}
    for one in watched(bureau(load(None, {})))[0]:
        found.setdefault(page_of(one.uid), []).append(one)
    return found


def page(name: str, about: list[Watched], steps: dict[str, Any]) -> str:
    """Text of a page."""
    first = about[0]
    title = first.title.partition("：")[0] if name in FAMILIES else first.title
    lines = [HEAD, f"# {title}", "", f"{SEVERITY_ZH[first.severity]} · 责任 {'、'.join(dict.fromkeys(one.owner for one in about))}", ""]
    lines += ["| 规则 | 触发 | 持续 | 解除 | 保持 |", "|---|---|---|---|---|"]
    lines += [f"| `{one.uid}` {one.title} | {one.words[0]} | {one.lasting} | {one.words[1]} | {one.keep} |" for one in about]
    lines += ["", "## 先看", "", *(f"1. {line}" for line in steps["look"]), "", "## 怎么办", "", f"{first.todo}", "", *(f"1. {line}" for line in steps["act"])]
    nothing = (
        "一条数据都没有时另发 DatasourceNoData：看 InfluxDB、Grafana 令牌和计算进程。" if first.no_data == "NoData" else "没有数据不触发；来源静默另有告警。"
    )
    lines += ["", "## 何时算解决", "", steps["done"], "", f"{nothing}", "", "## 怎样验证这条告警", ""]
    lines += [f"`pytest '{INJECTED}[{one.uid}]'`" + ("" if one is about[-1] else "  ") for one in about]
    if "tests" in steps:
        lines += ["", f"真实故障：{steps['fault']}，触发 `{steps['fires']}`：", "", *(f"* `pytest '{one}'`" for one in steps["tests"])]
    return "\n".join([*lines, ""])


def index(found: dict[str, list[Watched]], steps: dict[str, Any]) -> str:
    """Text of the index: every rule, its page, the test that plants its figures; then, a page a line, the real fault behind them."""
    lines = [HEAD, "# 处置手册 · Runbook", "", "每条告警一页；Grafana 里的“处置手册”板（`/d/env-runbook`）由同一张表生成。", ""]
    lines += ["| 告警 | 级别 | 页 | 注入故障并检查其触发的测试 |", "|---|---|---|---|"]
    for name, about in found.items():
        lines += [f"| {one.title} | {SEVERITY_ZH[one.severity]} | [{name}]({name}.md) | `{INJECTED.partition('::')[0]}` `[{one.uid}]` |" for one in about]
    lines += ["", "## 真实故障 · Real faults", "", REAL, "", "| 页 | 注入的故障 | 触发的告警 | 测试 |", "|---|---|---|---|"]
    for name in found:
        one = steps[name]
        tests = "<br>".join(f"`{test}`" for test in one.get("tests", ()))
        lines.append(
            f"| [{name}]({name}.md) | {one.get('fault', '没有：只植入数值 none, its figure is planted only')} | {one.get('fires', '–')} | {tests or '–'} |"
        )
    return "\n".join([*lines, ""])


def texts() -> dict[str, str]:
    """Every file of the folder."""
    steps, found = tomllib.loads(STEPS.read_text(encoding="utf-8")), rules()
    return {"README.md": index(found, steps), **{f"{name}.md": page(name, about, steps[name]) for name, about in found.items()}}


def main(words: list[str]) -> int:
    """Write, or compare."""
    fresh = texts()
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")} if FOLDER.is_dir() else {}
    stale = sorted(name for name in {*fresh, *there} if fresh.get(name) != there.get(name))
    if "--check" in words:
        print(f"stale: {', '.join(stale)}" if stale else f"{len(fresh)} pages are fresh")
        return int(bool(stale))
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        if name in fresh:
            (FOLDER / name).write_text(fresh[name], encoding="utf-8")
        else:
            (FOLDER / name).unlink()
    print(f"{len(stale)} of {len(fresh)} pages written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
