"""A parquet file as texts, where pyarrow is installed."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterator
from typing import Any

from domain.errors import FileError
from lanbi.formats.rows import trimmed
from lanbi.formats.sheet import Cells, Sheet
from lanbi.formats.workbook import text_of


def open_parquet(name: str, data: bytes, digest: str) -> Sheet:
    """The table; floats become the shortest decimal that they stand for."""
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise FileError("parquet needs pyarrow, which is not installed", name, "pip install pyarrow, or save the file as CSV") from None
    try:
        table = parquet.ParquetFile(io.BytesIO(data))
        columns = [trimmed(column) for column in table.schema_arrow.names]
    except Exception as error:
        # pyarrow's own errors are known only where it is installed.
        raise FileError(f"no readable parquet file: {error}", name, "save it again, or as CSV") from error
    return Sheet(name, "parquet", digest, columns, _rows(name, table))


def _rows(name: str, table: Any) -> Iterator[tuple[int, Cells]]:
    line = 0
    try:
        for batch in table.iter_batches(10_000):
            columns = [_texts(column) for column in batch.columns]
            for cells in zip(*columns, strict=True):
                line += 1
                yield line, cells
    except Exception as error:
        raise FileError(f"no readable parquet file: {error}", f"{name}, row {line + 1}", "save it again, or as CSV") from error


def _texts(column: Any) -> list[str]:
    if str(column.type) == "float":
        # A float32's shortest decimal is not that of the same number as a double.
        return ["" if value is None else str(value) for value in column.to_numpy(zero_copy_only=False)]
    return [text_of(value) for value in column.to_pylist()]
