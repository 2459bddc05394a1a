"""Words (zh, en) of what stands in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from domain import filings, judgements, marks, statements, tasks
from domain.codes import Words
from domain.restating import CONFIRMATION

DEEDS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "login": ("登录", "log in"),
        "logout": ("退出", "log out"),
        "password": ("更换密码", "change the password"),
        "read": ("查看", "look at"),
        "report": ("打印报表", "print a report"),
        "acknowledge": ("处置告警", "take note of an alert"),
        "mapping": ("修改设备映射", "change a device's mapping"),
        "replay": ("重放死信", "replay dead letters"),
        "accept": ("采纳填报", "accept a form"),
        "user-add": ("新增用户", "add a user"),
        "user-password": ("重设密码", "set a user's password"),
        "key-add": ("发放密钥", "issue a key"),
        "key-revoke": ("撤销密钥", "revoke a key"),
        marks.DUST: ("录入沙尘时段", "enter dust hours"),
        marks.MARK: ("标记小时", "mark hours"),
        marks.REVIEWED: ("录入审核数据", "enter reviewed data"),
        marks.OFFICIAL: ("录入官方数值", "enter an official figure"),
        marks.PUBLISHED: ("录入公布数值", "enter a published figure"),
        statements.EXCHANGE: ("录入换表", "enter a meter exchange"),
        statements.BILL: ("录入账单", "enter a bill"),
        statements.OUTPUT: ("录入产量产值", "enter output"),
        statements.LIST: ("录入减排清单", "enter a reduction list"),
        statements.ORDERS: ("发布管控指令", "issue an order"),
        statements.RECEIPT: ("确认收到命令", "confirm receipt of an order"),
        statements.CLUE: ("说明线索", "explain a clue"),
        statements.REPORTED: ("填报目标值", "report a target's value"),
        statements.QUANTITY: ("录入用量", "enter a quantity"),
        filings.FILING: ("提交填报", "file a form"),
        filings.RULING: ("审核填报", "rule on a form"),
        tasks.TASK: ("办理任务", "act on a task"),
        judgements.VERDICT: ("判定告警", "judge an alarm"),
        CONFIRMATION: ("确认月份", "confirm a month"),
    },
)
"""Actions; one that has words behind it (``accept exchange``) is known by its first."""

RESULTS: Final[Mapping[str, Words]] = MappingProxyType(
    {"done": ("完成", "done"), "refused": ("被拒", "refused"), "late": ("已有人处置", "somebody was earlier")}
)
"""What came of it."""
