"""The web board: static files of our own, and the chart script out of its Python wheel, so that nothing comes from elsewhere."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response

from api.answers import known, tagged
from api.problems import Problem

FOLDER: Final = Path(__file__).parent / "board"
MEDIA: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
PLOTLY: Final = "plotly.min.js"
YEAR: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Script:
    """The chart script of the plotly wheel; its package is never imported, for that would cost 0.5 s and 30 MB."""

    path: Path

    @classmethod
    def find(cls) -> Script:
        """Where the wheel lies."""
        spec = find_spec("plotly")
        assert spec  # noqa: S101  plotly is a dependency of ours
        assert spec.origin  # noqa: S101  and a package with a file
        return cls(Path(spec.origin).parent / "package_data" / PLOTLY)

    @cached_property
    def tag(self) -> str:
        """Version of the content."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]

    @cached_property
    def packed(self) -> bytes:
        """Compressed once: 4.8 MB become 1.4 MB."""
        return gzip.compress(self.path.read_bytes(), 6, mtime=0)


@dataclass(frozen=True)
class Board:
    """The files of the board, read once."""

    files: Mapping[str, bytes]
    script: Script

    @classmethod
    def load(cls) -> Board:
        """Read the folder; each page learns the script's version, so that it may be cached for ever."""
        script = Script.find()
        files = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in MEDIA}
        named = f"/board/{PLOTLY}?v={script.tag}".encode()
        files = {name: text.replace(b"/board/plotly.min.js", named) if name.endswith(".html") else text for name, text in files.items()}
        return cls(files, script)


def router(board: Board) -> APIRouter:
    """Routes of the board."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def index(request: Request) -> Response:
        return tagged(request, board.files["index.html"], MEDIA[".html"])

    @routes.get("/favicon.ico")
    async def favicon(request: Request) -> Response:
        return tagged(request, board.files["mark.svg"], MEDIA[".svg"])

    @routes.get(f"/board/{PLOTLY}")
    def plotly(request: Request) -> Response:
        tag = f'W/"{board.script.tag}"'
        headers = {"ETag": tag, "Cache-Control": YEAR, "Vary": "Accept-Encoding"}
        if known(request, tag):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(board.script.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=MEDIA[".js"])
        return Response(board.script.path.read_bytes(), headers=headers, media_type=MEDIA[".js"])

    @routes.get("/board/{name}")
    async def file(request: Request, name: str) -> Response:
        content = board.files.get(name)
        if content is None:
            raise Problem(404, "没有这个文件。", "No such file.")
        return tagged(request, content, MEDIA[Path(name).suffix])

    return routes
