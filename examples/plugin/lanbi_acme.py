"""A decoder and a file format of our own: ACME's loggers say ``ACME;2026-11-23T01:00:00Z;pm25=38;co=0.9``.

Install this folder beside lanbi (``pip install examples/plugin``): ``format = "acme"`` in the registry, ``lanbi import --format acme-csv``.
"""

from domain.errors import NotUnderstood
from ingest.decoders.samples import Dialect, Letter, Sample
from lanbi.formats.rows import hour
from lanbi.formats.shapes import Shape


def acme(letter: Letter) -> list[Sample]:
    """One sample a pair; whatever is wrong is said, never guessed."""
    try:
        mark, time, *pairs = letter.payload.decode("ascii").strip().split(";")
    except (UnicodeDecodeError, ValueError):
        raise NotUnderstood("no line of ACME", "bad-encoding") from None
    if mark != "ACME":
        raise NotUnderstood("it does not begin with ACME")
    return [Sample(name, value, time) for name, _, value in (pair.partition("=") for pair in pairs)]


DIALECT = Dialect(acme, "rfc3339", "ACME;time;name=value;…")
TABLES = (Shape("air_station", ("acme_site",), ("acme_time",), hour, {"pm25": ("fine",), "co": ("co",)}),)
