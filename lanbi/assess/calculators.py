"""One function a calculator: table in, answer out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from lanbi.assess import air, daily, drift, files, meters, projection, stuck, table, water, writing, yearly


def _air_hourly(args: argparse.Namespace) -> None:
    files.write(args.output, writing.table(air.hourly(table.read(args.input, table.AIR_HOURLY), args.rules)))


def _air_rolling(args: argparse.Namespace) -> None:
    files.write(args.output, writing.table(air.running(table.read(args.input, table.AIR_HOURLY))))


def _air_daily(args: argparse.Namespace) -> None:
    files.write(args.output, writing.table(daily.table(_scopes(args), args.rules)))


def _air_year(args: argparse.Namespace) -> None:
    files.write(args.output, yearly.answer(_scopes(args), args.rules, args.targets, standard=args.standard))


def _scopes(args: argparse.Namespace) -> daily.Scopes:
    city = daily.City(args.city, tuple(args.exclude))
    shape = table.AIR_HOURLY if args.source == "hourly" else table.AIR_DAILY
    return daily.scopes(table.read(args.input, shape), args.source, city)


def _water(args: argparse.Namespace) -> None:
    files.write(args.output, water.answer(args.input, args.types, args.method))


def _meters(args: argparse.Namespace) -> None:
    files.write(args.output, meters.answer(args.input, args.registry, args.exchanges))


def _stuck(args: argparse.Namespace) -> None:
    files.write(args.output, stuck.answer(args.input))


def _drift(args: argparse.Namespace) -> None:
    files.write(args.output, drift.answer(args.input, args.neighbours))


def _projection(args: argparse.Namespace) -> None:
    asked = projection.question(args.item, args.asof, args.target)
    files.write(args.output, projection.answer(args.input, table.read(args.input, table.one_item(asked.item)), asked))


CALCULATORS: Final[Mapping[str, Callable[[argparse.Namespace], None]]] = MappingProxyType(
    {
        "air-hourly": _air_hourly,
        "air-rolling": _air_rolling,
        "air-daily": _air_daily,
        "air-year": _air_year,
        "water": _water,
        "meters": _meters,
        "stuck": _stuck,
        "drift": _drift,
        "projection": _projection,
    },
)
