"""`lanbi assess`: the calculator. CSV in, CSV or JSON out; no settings, no store."""

from __future__ import annotations

import argparse
import gc
import os

from lanbi import machine_code

_KINDS = {
    "air-hourly": "小时 AQI · hourly AQI, level, primary pollutants",
    "air-rolling": "滑动均值 · running 24 h means and 8 h ozone",
    "air-daily": "日均值和日 AQI · daily values and AQI",
    "air-year": "年度指标和目标 · year figures and targets, as JSON",
    "water": "水质类别 · class of surface-water records",
    "stuck": "数值停滞 · sensors that stand still, as CSV",
    "drift": "漂移 · sensors that drift off their neighbours, as CSV",
    "projection": "年底预测 · how the year may end, as JSON lines",
    "meters": "表计账目：区间和事件 · intervals and events of meters, as JSON lines",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the calculators with their arguments."""
    parser.epilog = "例 example: lanbi assess air-daily hours.csv -o days.csv"
    kinds = parser.add_subparsers(dest="kind", metavar="WHAT", required=True)
    for name, words in _KINDS.items():
        one = kinds.add_parser(name, help=words, description=words, epilog=f"例 example: lanbi assess {name} in.csv -o out")
        one.add_argument("input", metavar="IN", help="CSV 文件，- 为标准输入，可为 .gz · a CSV file, - = standard input, .gz accepted")
        one.add_argument("-o", "--output", metavar="FILE", help="输出文件 · default: standard output")
        if name in {"air-hourly", "air-daily", "air-year"}:
            one.add_argument("--rules", choices=("2012", "2026", "dated"), default="dated", help="规则 · rule set (default: by the civil day)")
        if name in {"air-daily", "air-year"}:
            _days(one)
        if name == "air-year":
            one.add_argument("--targets", metavar="PLAN", action="append", default=[], help="规划目标 · plan whose air targets are judged (TOML)")
            one.add_argument("--standard", action="store_true", help="年评价：百分位数、达标率、超标倍数 · percentiles, compliance rates, exceedance multiples")
        _own(name, one)


def _own(name: str, one: argparse.ArgumentParser) -> None:
    """Arguments of one calculator alone."""
    if name == "meters":
        one.add_argument("--registry", metavar="TOML", required=True, help="登记册：模数、倍率、最大功率 · registry with modulus, multiplier, power")
        one.add_argument("--exchanges", metavar="FILE", help="换表单 · exchange forms: CSV meter,time,last,first[,document]")
    if name == "projection":
        _projection(one)
    if name == "drift":
        one.add_argument("--neighbours", metavar="FILE", help="相邻点位 · CSV site,neighbour (default: all other sites)")
    if name == "water":
        one.add_argument("--types", metavar="FILE", help="断面类型 · CSV section,type (river or lake)")
        one.add_argument("--method", choices=("auto", "manual"), default="auto", help="自动四项，手工21项 · auto: worst of four items; manual: of 21")


def _projection(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "例 example: lanbi assess projection days.csv --asof 2025-04-30 --target 42"
    parser.add_argument("--asof", metavar="DATE", required=True, help="截至日期，其后的数据不看 · last day that is looked at")
    parser.add_argument("--target", metavar="VALUE", required=True, help="年均值目标（不高于）· annual mean not to be exceeded")
    parser.add_argument("--item", choices=("pm25", "pm10", "so2", "no2"), default="pm25", help="项目 · item (default: pm25)")


def _days(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="source", choices=("hourly", "daily"), default="hourly", help="输入是小时值还是日值 · what IN holds")
    parser.add_argument("--city", metavar="NAME", help="各站先求日均值再平均 · average the sites' days into one place of this name")
    parser.add_argument("--exclude", metavar="SITE", nargs="+", action="extend", default=[], help="不参与平均的点位（对照点）· sites left out of --city")


def run(args: argparse.Namespace) -> int:
    """Compute and write; nothing is written unless all of the input was good."""
    os.environ.setdefault("NUMBA_CACHE_DIR", str(machine_code.prepared()))
    from lanbi.assess.calculators import CALCULATORS

    # A table of a million rows is millions of objects that all stay: looking through them for circles again and again costs a fifth.
    collecting = gc.isenabled()
    gc.disable()
    try:
        CALCULATORS[args.kind](args)
    finally:
        if collecting:
            gc.enable()
    return 0
