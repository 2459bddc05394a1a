"""A page as text, as one HTML file that prints, or as a workbook. The same page makes the same bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from types import MappingProxyType
from typing import Any, Final

from api.shaping import printed
from domain.civil import iso
from domain.errors import SettingsError
from lanbi.reports.drawing import svg
from lanbi.reports.page import Cell, Chart, Column, Page, Part, Table, Words

STYLE: Final = """
@page { size: A4 landscape; margin: 14mm 12mm; }
body { font: 13px/1.5 "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "WenQuanYi Zen Hei", sans-serif; color: #111; max-width: 1100px; margin: 0 auto; padding: 12px; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 15px; margin: 18px 0 6px; border-bottom: 1px solid #999; }
header p { margin: 0; color: #333; } table { border-collapse: collapse; width: 100%; font-size: 11.5px; } caption { text-align: left; }
th, td { border: 1px solid #bbb; padding: 2px 5px; text-align: left; vertical-align: top; overflow-wrap: break-word; } th { background: #eef2f5; } td.w { overflow-wrap: anywhere; } td.n { text-align: right; white-space: nowrap; overflow-wrap: normal; } td.s { white-space: nowrap; }
thead { display: table-header-group; } tr { break-inside: avoid; } section.chart { break-inside: avoid; } svg { width: 100%; height: auto; font-size: 11px; fill: #222; }
svg .g { stroke: #ddd; } svg .r { text-anchor: end; } svg .m { text-anchor: middle; } footer { margin-top: 16px; color: #555; font-size: 11px; }
"""
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?(（[+-]?\d+(\.\d+)?）)?|\d+/\d+")
"""A number, one with its difference behind it, or a share of what is due."""
SHORT: Final = 10
_LONG: Final = re.compile(r"[!-~]{25,}")
"""A digest, an address: it may break anywhere, or its table would be wider than the page."""
_NAME: Final = re.compile(r"[\[\]:*?/\\]")


def cell_text(cell: Cell, column: Column) -> str:
    """A cell as it is printed: numbers rounded half to even to their digits."""
    return cell if isinstance(cell, str) else printed(cell, column.digits)


def text(page: Page) -> Iterator[bytes]:
    """Lines to paste."""
    yield f"{page.title}\n{' · '.join(page.about)}\n".encode()
    for part in page.parts:
        if isinstance(part, Chart):
            continue
        yield f"\n{part.title}\n".encode()
        yield from (f"{line}\n".encode() for line in _lines(part))
    yield f"\n{_foot(page)}\n".encode()


def _lines(part: Table | Words) -> Iterator[str]:
    if isinstance(part, Words):
        yield from part.lines
        return
    yield " | ".join(column.name for column in part.columns)
    yield from (" | ".join(cell_text(cell, column) for cell, column in zip(row, part.columns, strict=True)) for row in part.rows)
    if not part.rows:
        yield part.empty


def _foot(page: Page) -> str:
    return f"数值计算至 figures computed until {iso(page.made)}" if page.made else "数值未记计算时刻 figures without a time of computing"


def html(page: Page) -> Iterator[bytes]:
    """One file without scripts and without anything from elsewhere; prints on A4."""
    about = "".join(f"<p>{escape(line)}</p>" for line in page.about)
    yield f'<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(page.title)}</title><style>{STYLE}</style></head>\n'.encode()
    yield f"<body><header><h1>{escape(page.title)}</h1>{about}</header>\n".encode()
    for part in page.parts:
        kind = ' class="chart"' if isinstance(part, Chart) else ""
        yield f"<section{kind}><h2>{escape(part.title)}</h2>{_html(part)}</section>\n".encode()
    yield f"<footer>{escape(_foot(page))}</footer></body></html>\n".encode()


def _html(part: Part) -> str:
    if isinstance(part, Chart):
        return svg(part)
    if isinstance(part, Words):
        return "".join(f"<p>{escape(line)}</p>" for line in part.lines) or "<p>无 none</p>"
    if not part.rows:
        return f"<p>{escape(part.empty)}</p>"
    head = "".join(f'<th scope="col">{escape(column.name)}</th>' for column in part.columns)
    rows = "".join(f"<tr>{''.join(_td(cell, column) for cell, column in zip(row, part.columns, strict=True))}</tr>\n" for row in part.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _td(cell: Cell, column: Column) -> str:
    if isinstance(cell, str):
        # A number that brings its own digits stands as one; a date or a short word is no worse for one line.
        kind = (
            ' class="n"'
            if _NUMBER.fullmatch(cell)
            else ' class="s"'
            if 0 < len(cell) <= SHORT and " " not in cell
            else ' class="w"'
            if _LONG.search(cell)
            else ""
        )
        return f"<td{kind}>{escape(cell)}</td>"
    return f'<td class="n">{cell_text(cell, column)}</td>'


def workbook(page: Page) -> Iterator[bytes]:
    """A workbook: a sheet a table, numbers as numbers shown to their digits, charts over the sheet of their values.

    Raises
    ------
    SettingsError
        XlsxWriter is not installed.
    """
    try:
        import xlsxwriter  # noqa: PLC0415  only who asks for a workbook needs it
    except ImportError as error:
        raise SettingsError("the library for workbooks is not installed", "XLSX", "pip install 'lanbi[reports]'") from error
    whole = io.BytesIO()
    # Text that begins with = stays text: names come from people and devices.
    with xlsxwriter.Workbook(whole, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": page.title, "author": "lanbi", "created": datetime.fromtimestamp(page.made, UTC).replace(tzinfo=None)})
        cover = book.add_worksheet("首页 cover")
        cover.set_column(0, 0, 110)
        lines = [page.title, *page.about, _foot(page), *(line for part in page.parts if isinstance(part, Words) for line in ("", part.title, *part.lines))]
        for number, line in enumerate(lines):
            cover.write_string(number, 0, line, book.add_format({"bold": number == 0, "text_wrap": True}))
        for number, part in enumerate(page.parts):
            if not isinstance(part, Words):
                _sheet(book, f"{number + 1} {_NAME.sub(' ', part.title)}"[:31], part)
    yield whole.getvalue()


def _sheet(book: Any, name: str, part: Table | Chart) -> None:
    sheet = book.add_worksheet(name)
    head = book.add_format({"bold": True, "bg_color": "#EEF2F5", "border": 1, "text_wrap": True})
    table = part if isinstance(part, Table) else _values(part)
    numbers = [book.add_format({"num_format": "0" + ("." + "0" * column.digits if column.digits else "")}) for column in table.columns]
    for place, column in enumerate(table.columns):
        sheet.write_string(0, place, column.name, head)
        sheet.set_column(place, place, 16)
    for number, row in enumerate(table.rows, 1):
        for place, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(number, place, cell)
            elif cell is not None:
                sheet.write_number(number, place, cell, numbers[place])
    sheet.freeze_panes(1, 0)
    if isinstance(part, Chart) and part.labels:
        _chart(book, sheet, name, part)


def _values(part: Chart) -> Table:
    columns = (Column("标签 label"), *(Column(f"{one.name} {part.unit}".strip(), 2) for one in part.series))
    longest = len(part.labels)
    padded = [[*one.values, *[None] * (longest - len(one.values))] for one in part.series]
    return Table(part.title, columns, [[label, *(one[place] for one in padded)] for place, label in enumerate(part.labels)])


def _chart(book: Any, sheet: Any, name: str, part: Chart) -> None:
    picture = book.add_chart({"type": "column" if part.series and part.series[0].colours else "line"})
    for place, one in enumerate(part.series, 1):
        last = len(part.labels)
        picture.add_series({"name": one.name, "categories": [name, 1, 0, last, 0], "values": [name, 1, place, last, place]})
    picture.set_title({"name": part.title})
    picture.set_size({"width": 900, "height": 360})
    sheet.insert_chart(1, len(part.series) + 2, picture)


FORMATS: Final[Mapping[str, Callable[[Page], Iterator[bytes]]]] = MappingProxyType({"text": text, "html": html, "xlsx": workbook})
"""What a page may be written as."""
ENDINGS: Final = MappingProxyType({".txt": "text", ".html": "html", ".htm": "html", ".xlsx": "xlsx"})
