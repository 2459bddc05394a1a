"""A decoder of our own in 30 lines: ACME's loggers say ``ACME;2026-11-23T01:00:00Z;pm25=38;co=0.9``.

Install this folder beside lanbi (``pip install examples/plugin``), and ``format = "acme"`` may stand in the registry.
"""

from domain.errors import NotUnderstood
from ingest.decoders.samples import Dialect, Letter, Sample


def acme(letter: Letter) -> list[Sample]:
    """One sample a pair; whatever is wrong is said, never guessed."""
    try:
        mark, time, *pairs = letter.payload.decode("ascii").strip().split(";")
    except (UnicodeDecodeError, ValueError):
        raise NotUnderstood("no line of ACME", "bad-encoding") from None
    if mark != "ACME":
        raise NotUnderstood("it does not begin with ACME")
    split = [pair.partition("=") for pair in pairs]
    return [Sample(name, value, time) for name, _, value in split]


DIALECT = Dialect(acme, "rfc3339", "ACME;time;name=value;…")
