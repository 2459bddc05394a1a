"""Every InfluxQL statement of boards and rules: one-line selects of stored figures, no arithmetic, no buckets.

A query filters figure, period, basis and rule set, always: without that, ``last`` mixes rule sets silently.
An hour is stored under one rule set only, the one in force on its day, so hours are asked for by a pattern over both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from dashboards.stored import Need

TIME: Final = "$timeFilter"
NO_RULES: Final = "none"
HOURLY: Final = "/^HJ633-/"
"""Both rule sets of the AQI; of an hour only one exists."""
RULES: Final = "$rules"
BASIS: Final = "$basis"
VALUE: Final = ("value",)


class Select(NamedTuple):
    """A statement, what it needs to be stored, and how its answer is read: series with an alias, or a table."""

    text: str
    needs: tuple[Need, ...] = ()
    alias: str = ""
    table: bool = False


class Ask(NamedTuple):
    """Conditions of a select of figures.

    Attributes
    ----------
    figure : str or tuple of str
        Name, or several.
    scope : str or tuple of str
        A scope or several, ``$name`` for a variable, or empty for all.
    within : tuple of str
        Scopes that a variable's choice is held to.
    by : str or tuple of str
        Tags that name a series: ``scope``, ``figure``, both, or empty for a single series.
    """

    figure: str | tuple[str, ...]
    period: str
    scope: str | tuple[str, ...] = ""
    rules: str = RULES
    basis: str = "raw"
    by: str | tuple[str, ...] = "scope"
    within: tuple[str, ...] = ()

    @property
    def figures(self) -> tuple[str, ...]:
        """Names of the figures."""
        return (self.figure,) if isinstance(self.figure, str) else self.figure

    @property
    def needs(self) -> tuple[Need, ...]:
        """What must be stored."""
        return tuple(Need(figure, self.period) for figure in self.figures)

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags that name a series."""
        return (self.by,) if isinstance(self.by, str) and self.by else tuple(self.by)

    @property
    def _scopes(self) -> list[str]:
        if not self.scope:
            return []
        chosen = equals("scope", self.scope) if isinstance(self.scope, str) else one_of("scope", self.scope)
        return [chosen, *([one_of("scope", self.within)] if self.within else [])]

    @property
    def where(self) -> str:
        """Conditions in InfluxQL."""
        parts = [one_of("figure", self.figures), equals("period", self.period), equals("basis", self.basis), equals("rule_set", self.rules)]
        return " AND ".join([*parts, *self._scopes, TIME])


def quoted(text: str) -> str:
    """A string of InfluxQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def equals(tag: str, value: str) -> str:
    """Condition on a tag; ``$name`` is a variable with one, several or all values, ``/…/`` a pattern."""
    if value.startswith("$"):
        return f'"{tag}" =~ /^${{{value[1:]}:regex}}$/'
    return f'"{tag}" =~ {value}' if value.startswith("/") else f'"{tag}" = {quoted(value)}'


def one_of(tag: str, values: Sequence[str]) -> str:
    """Condition that a tag has one of some values."""
    if len(values) == 1:
        return equals(tag, values[0])
    pattern = "|".join(values).replace(".", "\\.")
    return f'"{tag}" =~ /^({pattern})$/'


def fields(names: Sequence[str]) -> str:
    """Fields or tags as InfluxQL names them."""
    return ", ".join(f'"{name}"' for name in names)


def series(ask: Ask, names: Sequence[str] = VALUE, alias: str = "") -> Select:
    """Series over time; several fields make several series, named by the field."""
    group = f" GROUP BY {fields(ask.tags)}" if ask.tags else ""
    named = alias or " ".join(f"$tag_{tag}" for tag in ask.tags)
    return Select(f'SELECT {fields(names)} FROM "indicator" WHERE {ask.where}{group}', ask.needs, named)


def newest(ask: Ask, names: Sequence[str], called: str = "") -> Select:
    """Table of the newest row of each series; ``called`` gives a single column another name, for tables that are joined."""
    chosen = f'{fields(names)} AS "{called}"' if called else fields(names)
    return Select(f'SELECT {chosen} FROM "indicator" WHERE {ask.where} GROUP BY {fields(ask.tags)} ORDER BY time DESC LIMIT 1', ask.needs, table=True)


def rows(ask: Ask, names: Sequence[str], limit: int) -> Select:
    """Table of the newest rows; tags among the names become columns."""
    return Select(f'SELECT {fields(names)} FROM "indicator" WHERE {ask.where} ORDER BY time DESC LIMIT {limit}', ask.needs, table=True)


def restated(limit: int, figures: Sequence[str] = ()) -> Select:
    """Table of closed figures that changed, of all or of some."""
    names = fields(("scope", "figure", "period", "rule_set", "basis", "old", "new", "made", "cause"))
    chosen = f"{one_of('figure', figures)} AND " if figures else ""
    return Select(f'SELECT {names} FROM "restatement" WHERE {chosen}{TIME} ORDER BY time DESC LIMIT {limit}', table=True)


def events(kinds: Sequence[str], limit: int, names: Sequence[str] = ("kind", "source", "value", "text"), source: str = "", called: str = "") -> Select:
    """Table of events of some kinds, of all sources or of a variable's; ``called`` renames the value where the text brings one of its own."""
    where = " AND ".join([one_of("kind", kinds), *([equals("source", source)] if source else []), TIME])
    chosen = fields(names).replace('"value"', f'"value" AS "{called}"') if called else fields(names)
    return Select(f'SELECT {chosen} FROM "event" WHERE {where} ORDER BY time DESC LIMIT {limit}', table=True)


def none_of(tag: str, values: Sequence[str]) -> str:
    """Condition that a tag has none of some values."""
    pattern = "|".join(values).replace(".", "\\.")
    return f'"{tag}" !~ /^({pattern})$/'


def event_series(*kinds: str, but: Sequence[str] = ()) -> Select:
    """Values of some kinds of events, by source but some: what a rule judges."""
    apart = f" AND {none_of('source', but)}" if but else ""
    by = fields(("source",) if len(kinds) == 1 else ("kind", "source"))
    return Select(f'SELECT "value" FROM "event" WHERE {one_of("kind", kinds)}{apart} AND {TIME} GROUP BY {by}')


def values_of(tag: str, figure: str, period: str) -> Select:
    """Values of a tag, for a variable."""
    where = f"{equals('figure', figure)} AND {equals('period', period)}"
    return Select(f'SHOW TAG VALUES FROM "indicator" WITH KEY = "{tag}" WHERE {where}', (Need(figure, period),))
