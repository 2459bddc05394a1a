"""What a judge of entries says, in the reader's language: the judges speak English, and the board's people read Chinese first."""

from __future__ import annotations

import re
from typing import Final

from api.problems import Problem, wrong

_SHOWN: Final = 200
WORDS: Final = (
    (r"the end (?:does not lie|must lie) (?:after|behind) the start.*", "结束时间必须晚于开始时间"),
    (r"longer than (\d+) days", r"时段最长 \1 天"),
    (r"not a plain number from 0 to 10¹²: (.*)", r"须填 0 到 10¹² 之间的普通数字，而不是 \1"),
    (r"not a year 2025, a month 2025-06 or a quarter 2025Q2: (.*)", r"期间请写 2025、2025-06 或 2025Q2，而不是 \1"),
    (r"not a month: (.*)|not a period: (.*)", "期间写法有误，请写 2025-06"),
    (r"not a time of 2000 … 2099: (.*)", r"时间须在 2000 至 2099 年之间：\1"),
    (r"no mark: flag (.*), items (.*)", r"标记 \1 或项目 \2 有误"),
    (r"no (?:form|ruling|level|grade|verdict|task|action|state of a clue): (.*)", r"没有这个选项：\1"),
    (r"no span of a review: (.*)", r"审核数据的时段须为 3600 或 86400 秒，而不是 \1"),
    (r"no cell of a review: hour (.*), item (.*)", r"审核数据的小时 \1 或项目 \2 有误"),
    (r"(.*) is outside (.*) … (.*)", r"\1 超出范围 \2 … \3"),
    (r"no flag: (.*)", r"没有这种标记：\1"),
    (r"a value that was taken out needs the flag that says why", "剔除的数值须带说明原因的标记"),
    (r"no rank: (.*)", r"名次有误：\1"),
    (r"no figure of a (\S+): (.*)", r"该期间没有这个指标：\2"),
    (r"below zero: (.*)", r"不能小于零：\1"),
    (r"no published index: (.*)", r"不是公布的 AQI：\1"),
    (r"a line's quantity is in tonnes, not in (.*); units are (.*)", r"生产线产量的单位须为 \2，而不是 \1"),
    (r"more than (\d+) decimals: (.*)", r"小数最多 \1 位：\2"),
    (r"neither quantity nor value_added", "产量和增加值至少填一项"),
    (r"a share is 0 to 100 % of the usual load that may still run, not (.*)", r"比例是仍可运行的负荷占常态的 0 至 100 %，而不是 \1"),
    (r"a ruling names the record of its filing, such as person/12", "处理意见须写明申报的记录号，例如 person/12"),
    (r"not finite: (.*)|too large: (.*)|not a number: (.*)", "不是有效的数字"),
    (r"analytics did not answer within (\S+) s: (.*)", r"分析程序在 \1 秒内没有回答（\2）"),
    (r"another question is being answered", "正在回答另一个预览"),
    (r"analytics is starting", "分析程序正在启动"),
    (r"no rule of a clue: (.*)", r"没有这条线索规则：\1"),
    (r"no name of an alarm.*", "请从告警列表复制告警名称"),
    (r"a multiplier lies above 0", "倍率必须大于 0"),
    (r"a window names 1 to (\d+) meters", r"请选 1 至 \1 块计量表"),
    (r"without (.*)", r"缺少：\1"),
    (r"no register of meter (\S+) within (\d+) days before the exchange", r"计量表 \1 在换表前 \2 天内没有读数"),
    (r"the old meter's last reading (\S+) lies below the register before it, (\S+)", r"旧表止码 \1 小于换表前的读数 \2"),
    (
        r"the exchange is dated before the old meter's last reading: the register after it, (\S+), still counts on from (\S+)",
        r"换表时间早于旧表最后的读数：其后的读数 \1 仍接着 \2 计数",
    ),
    (r"(?:[^:]*: )?not TOML: (.*)", r"不是有效的 TOML：\1"),
    (r"(?:[^:]*: )?the text must be one \[\[mapping\]\] with its id", "正文须是一个带 id 的 [[mapping]]"),
    (r"(?:[^:]*: )?(\S+) of device (\S+) is written in a way that cannot be changed here", r"设备 \2 的 \1 是分期写的，请用 lanbi registry apply 修改"),
    (r"the registry has no (\S+) (\S+)", r"登记册里没有 \1 \2"),
    (r"(\S+) of (\S+) (\S+) is written in a way that cannot be changed here", r"登记册中 \2 \3 的 \1 写法特殊，请用 lanbi registry apply 修改"),
    (r".*(?:[Ii]nvalid|no time|not a time|isoformat|offset|time zone).*", "时间写法有误，请写 2026-06-01T08:00:00+08:00 或 2026-06-01"),
)
"""What a judge says (whole), and the same in Chinese; what stands in no row stays as it is."""


def chinese(fault: str, otherwise: str = "") -> str:
    """The fault in Chinese; what stands in no row is told ``otherwise``, or as it is.

    >>> chinese("longer than 31 days"), chinese("without reason"), chinese("x"), chinese("x", "未知")
    ('时段最长 31 天', '缺少：reason', 'x', '未知')
    """
    for pattern, words in WORDS:
        found = re.fullmatch(pattern, fault, re.DOTALL)
        if found:
            return found.expand(words)
    return otherwise or fault


def refusal(fault: str) -> Problem:
    """The refusal of an entry, in both languages."""
    shown = fault[:_SHOWN]
    return wrong("body", f"不能这样填报：{chinese(shown)}", f"It cannot be entered like this: {shown}")
