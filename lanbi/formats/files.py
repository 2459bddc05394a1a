"""Bytes of a file as a sheet of texts: CSV, workbook, parquet, feed XML or section page, packed or not. Everything stays text until its reader asks."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from domain.errors import FileError
from lanbi.formats.rows import trimmed
from lanbi.formats.sheet import GRID, LARGEST, Cells, Sheet

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_PARQUET: Final = b"PAR1"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def read(name: str) -> bytes:
    """Bytes of a file, unpacked if it is a gzip."""
    try:
        data = Path(name).read_bytes()
        if data.startswith(_GZIP):
            with gzip.open(io.BytesIO(data)) as packed:
                data = packed.read(LARGEST + 1)
    except FileNotFoundError:
        raise FileError("no such file", name, "check the name") from None
    except (OSError, EOFError, zlib.error) as error:
        raise FileError(f"the file cannot be read: {why(error)}", name, "check that it is whole and that you may read it") from error
    if len(data) > LARGEST:
        raise FileError("larger than 1 GiB unpacked", name, "split it")
    return data


def sheet(name: str) -> Sheet:
    """A file as a sheet, by what its bytes are, not by what it is called.

    Raises
    ------
    FileError
        Missing, unreadable, empty, or neither text nor a workbook.
    """
    data = read(name)
    digest = hashlib.sha256(data).hexdigest()[:16]
    if data.startswith(_ZIP):
        from lanbi.formats.workbook import open_workbook  # noqa: PLC0415  a CSV must not pay for openpyxl

        return open_workbook(name, data, digest)
    if data.startswith(_PARQUET):
        from lanbi.formats.parquet import open_parquet  # noqa: PLC0415  pyarrow may be absent

        return open_parquet(name, data, digest)
    notices: list[str] = []
    text = _text(name, data, notices)
    if text.lstrip().startswith("<") and GRID in text:
        from lanbi.formats.page import open_page  # noqa: PLC0415  same

        return open_page(name, text, digest, notices)
    if text.lstrip().startswith("<"):
        from lanbi.formats.feed import open_feed  # noqa: PLC0415  same

        return open_feed(name, text, digest, notices)
    return _open_csv(name, text, digest, notices)


def _text(name: str, data: bytes, notices: list[str]) -> str:
    if data.startswith(_UTF16):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fault = error
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        line = data.count(b"\n", 0, fault.start) + 1
        raise FileError("the text is neither UTF-8 nor GB18030", f"{name}, line {line}", "save it as CSV UTF-8") from None
    notices.append(f"{name}: 按 GB18030 读取 read as GB18030, for it is not UTF-8")
    return text


def _open_csv(name: str, text: str, digest: str, notices: list[str]) -> Sheet:
    if "\0" in text:
        raise FileError("this is no text file", name, "give a CSV, XLSX, XML or parquet file")
    rows = _csv_rows(name, text)
    header = next(rows, None)
    if header is None:
        raise FileError("the file is empty", name, "the first line must name the columns")
    return Sheet(name, "csv", digest, [trimmed(cell) for cell in header[1]], rows, notices)


def _csv_rows(name: str, text: str) -> Iterator[tuple[int, Cells]]:
    """Rows with the line on which each begins: a quoted cell may hold line breaks."""
    first = text[: text.find("\n")]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in first and "," not in first else ",", strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell and not cell.isspace() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        words = "a quote is opened and never closed" if "unexpected end" in str(error) else str(error)
        raise FileError(f"not CSV: {words}", f"{name}, line {line}", "mend this line") from None


def why(error: Exception) -> str:
    """What went wrong with a file, in the fewest words there are."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
