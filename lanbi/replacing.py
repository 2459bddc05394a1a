"""``lanbi import --replace``: readings of files that a person lets stand above what devices sent, with the document that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from domain.civil import iso
from domain.errors import InputError
from lanbi.import_entries import Note
from lanbi.replaying import moment

if TYPE_CHECKING:
    from lanbi.formats.survey import FileSurvey, Survey

REPLACEMENT: Final = "replacement"
"""Kind of the entry that says who answers for it."""
CENTISECOND: Final = 10_000_000
_A_SECOND: Final = 100


class Replacing(NamedTuple):
    """Who answers for a replacement, by which document, and as of when its values are known.

    Attributes
    ----------
    as_of : int or None [s]
        Of two replacements the one as of later stands; None = the first receipt of the file.
    """

    person: str
    document: str
    as_of: int | None = None

    def number(self, receipt: int) -> int:
        """Number of the revision [centiseconds]; ``receipt`` is that of the file."""
        return receipt if self.as_of is None else self.as_of * _A_SECOND

    def check(self, survey: Survey) -> None:
        """Refuse files that hold no readings: what people say otherwise is not replaced but said again.

        Raises
        ------
        InputError
            A file of statements.
        """
        statements = sorted({said.kind for said, _ in survey.subjects.values()})
        if statements:
            raise InputError(f"{', '.join(statements)}: only readings are replaced", "--replace", "import statements without it; the later one counts")

    def note(self, file: FileSurvey, number: int) -> Note:
        """The entry that stands in the journal beside the readings."""
        body = {"user": self.person, "document": self.document, "as_of": iso(number // _A_SECOND), "digest": file.digest, "file": file.name}
        return Note(REPLACEMENT, body, 0)


def replacing(person: str | None, document: str | None, as_of: str | None, now: int) -> Replacing:
    """Who answers, from what the command line says.

    Raises
    ------
    InputError
        Nobody, no document, or a time that is none or lies ahead.
    """
    if not (person or "").strip() or not (document or "").strip():
        raise InputError("a replacement needs somebody who answers for it", "--replace", "name them: --person NAME --document TEXT")
    when = None if as_of is None else moment(as_of, "--as-of", now, end=True)
    if when is not None and when > now:
        raise InputError(f"{iso(when)} lies ahead", "--as-of", "name the time as of which these values are known")
    return Replacing(str(person).strip(), str(document).strip(), when)
