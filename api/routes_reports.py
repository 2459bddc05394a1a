"""Reports by address: the same pages that ``lanbi report`` writes."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from api.access import Whose
from api.accounts import Deed
from api.answers import tagged
from api.depends import Asked
from api.problems import Problem, unknown, wrong
from api.routes_login import note
from domain import marks
from domain.civil import day_of
from domain.codes import PERIODS as PERIOD_WORDS

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])
MEDIA: Final = {
    "text": "text/plain; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
PERIODS: Final = {"day": ("day",), "week": ("day",), "month": ("month",), "year": ("year",), "plan": ("year",)}
"""What kind of period a report is about; those of places: a month, a quarter or a year."""
PLACES: Final = frozenset({"station", "section", "enterprise"})
Kind = Literal["day", "week", "month", "year", "plan", "station", "section", "enterprise"]


@router.get("/{kind}", response_class=Response, responses={200: {"content": {media.partition(";")[0]: {} for media in MEDIA.values()}}})
def printed(
    request: Request,
    sources: Asked,
    caller: Whose,
    kind: Kind,
    *,
    period: Annotated[str, Query(max_length=10, description="2026-10-03, 2026-10, 2026Q3 or 2026, as the kind needs it")],
    about: Annotated[str, Query(alias="id", pattern=r"^[A-Za-z0-9_.-]{0,64}$", description="of a place: its registered id")] = "",
    form: Annotated[Literal["text", "html", "xlsx"], Query(alias="format")] = "html",
) -> Response:
    """A report as text, one printable file, or a workbook; the same state makes the same bytes."""
    _permit(request, caller, kind, about)
    if kind in PLACES and not about:
        raise wrong("id", "请写明登记编号 id。", "Name the place by its registered id.")
    try:
        asked = marks.period(period)
    except ValueError:
        raise wrong("period", "期间写作 2026-10-03、2026-10、2026Q3 或 2026。", "Write 2026-10-03, 2026-10, 2026Q3 or 2026.") from None
    kinds = PERIODS.get(kind, ("month", "quarter", "year"))
    if asked.kind not in kinds or asked.first > day_of(sources.now()):
        zh, en = (joint.join(PERIOD_WORDS[one][place] for one in kinds) for place, joint in enumerate(("、", " or a ")))
        raise wrong("period", f"此报表的期间须为已开始的{zh}。", f"This report is about a {en} that has begun.")
    if sources.report is None:
        raise Problem(409, "这里没有报表。", "There are no reports here.")
    note(sources, Deed(caller.name, caller.role, caller.address, "report", about or kind, detail=f"{kind} {period} {form}"))
    return tagged(request, sources.report(kind, asked, about, form), MEDIA[form])


def _permit(request: Request, caller: Whose, kind: str, about: str) -> None:
    """An enterprise's report is for itself and for who may see meters; all others are for who may see the county's figures."""
    sources = request.app.state.sources
    if caller.bound:
        if kind != "enterprise":
            raise Problem(403, "您的角色只能看本企业的报告。", "Your role sees its own enterprise's report only.")
        if not caller.sees(sources.registry(), about):
            raise unknown(about or "id")
    elif kind == "enterprise" and "meters" not in caller.rights:
        raise Problem(403, "您的角色无权查看企业报告。", "Your role may not see reports of enterprises.")
