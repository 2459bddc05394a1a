"""Readings poured into influxd at a steady pace, as line protocol in batches: what a county's devices cost the store while the API answers."""

from __future__ import annotations

import sys
import time
from typing import Final

import urllib3

BATCH_S: Final = 0.1


def main() -> int:
    """URL, token and readings a second; until standard input ends or the process is ended."""
    url, token, pace = sys.argv[1], sys.argv[2], int(sys.argv[3])
    http, each = urllib3.PoolManager(), max(1, int(pace * BATCH_S))
    begun, batches, number = time.monotonic(), 0, 0
    while True:
        second = int(time.time())
        lines = "\n".join(f"meter,site=m-{(number + one) % 2000:04d},span=0 register={number + one},rev={number + one} {second}" for one in range(each))
        reply = http.request("POST", f"{url}/api/v2/write?org=lanbi&bucket=lanbi-meter&precision=s", body=lines, headers={"Authorization": f"Token {token}"})
        if reply.status != 204:
            sys.stderr.write(f"{reply.status} {reply.data[:200]!r}\n")
            return 1
        number, batches = number + each, batches + 1
        sys.stdout.write(f"{number / (time.monotonic() - begun):.0f}\n")
        sys.stdout.flush()
        time.sleep(max(0.0, begun + batches * BATCH_S - time.monotonic()))


if __name__ == "__main__":
    sys.exit(main())
