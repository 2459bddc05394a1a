"""A client of lanbi's API in the standard library: the targets, a figure over time page by page, and a poll that costs nothing without news.

python client.py http://127.0.0.1:8080 [KEY]      (a key only where logins are on: lanbi access key add lab --role reader)
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any


class Lanbi:
    """One lanbi; answers are kept with their ETag, and asked for again only if they changed."""

    def __init__(self, base: str, key: str = "") -> None:
        self.base, self.head, self.kept = base.rstrip("/") + "/api/v1", {"Authorization": f"Bearer {key}"} if key else {}, dict[str, tuple[str, Any]]()

    def get(self, path: str, **query: str | int) -> Any:
        """A JSON answer; what lanbi refuses is told in its own sentence."""
        url = f"{self.base}/{path}?{urllib.parse.urlencode(query)}"
        tag, body = self.kept.get(url, ("", None))
        request = urllib.request.Request(url, headers=self.head | ({"If-None-Match": tag} if tag else {}))  # noqa: S310  the caller's own address
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                body = json.load(answer)
                self.kept[url] = (answer.headers.get("ETag", ""), body)
        except urllib.error.HTTPError as error:
            if error.code != 304:
                raise SystemExit(f"{error.code}: {json.load(error).get('detail', error.reason)}") from None
        except urllib.error.URLError as error:
            raise SystemExit(f"{self.base}: {error.reason}") from None
        return body

    def rows(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """Every row of a list: each page names the cursor of the next."""
        while True:
            page = self.get(path, **query)
            yield from page["items"]
            if not page.get("next"):
                return
            query["cursor"] = page["next"]


def main() -> None:
    """Targets; the year's PM2.5 day by day; the targets again, if there is news."""
    lanbi = Lanbi(*sys.argv[1:])
    for target in lanbi.rows("targets"):
        print(target["id"], target["value"], target["target"], target["status"], sep="\t")
    county = lanbi.get("county")
    for row in lanbi.rows("indicators", figure="pm25", period="day", scope=county["id"], limit=100, **{"from": f"{county['year']}-01-01"}):
        print(row["time"], row["value"], row["unit"], row["status"], sep="\t")
    before = lanbi.get("targets")
    print("no news" if lanbi.get("targets") is before else "news")


if __name__ == "__main__":
    main()
