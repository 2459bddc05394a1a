"""A channel of our own: ACME's bell rings once for each new line of the duty log, by a POST to the address in ``ACME_BELL``.

What it raises costs nothing: lanbi says it in its log, tries again, and the duty log keeps the line.
"""

import json
import os
import urllib.request
from collections.abc import Sequence

from api.desk import Alert


def ring(alerts: Sequence[Alert]) -> None:
    """One message a delivery; a refusal of the bell is raised by urllib."""
    said = [{"name": one.name, "status": one.status, "severity": one.severity, "summary": one.summary} for one in alerts]
    asked = urllib.request.Request(os.environ["ACME_BELL"], json.dumps(said).encode(), {"Content-Type": "application/json"})  # noqa: S310  our own address
    urllib.request.urlopen(asked, timeout=10).close()  # noqa: S310  the same
