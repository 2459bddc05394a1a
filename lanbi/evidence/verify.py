"""Checks an evidence package of lanbi. Needs Python 3.9 or newer and nothing else: python3 verify.py [FOLDER or FILE.zip]

1. every file is the one that manifest.json names (SHA-256);
2. manifest.json is signed (Ed25519, RFC 8032) by the key that stands in it: compare that key with the one the bureau made known;
3. the raw messages form one chain: each line's digest covers the message and the digest before it;
4. the stored values stand in the raw messages: each is looked for in the JSON that the device sent.

Not shown by this script: that no message was left out, and that the server's clock was right. For that the seals of the journal
(seals.txt), mailed on the day itself, are compared with the record: `lanbi journal verify --anchors MAIL.eml`.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
Read = Callable[[str], bytes]
START = "0" * 64


def add(a: Point, b: Point) -> Point:
    """Sum of two points of the curve, in extended coordinates."""
    x, y = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    t, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = y - x, z - t, z + t, y + x
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, point: Point) -> Point:
    """A multiple of a point."""
    found: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = add(found, point)
        point = add(point, point)
        number >>= 1
    return found


def lifted(y: int, sign: int) -> Point | None:
    """The point with this y and parity of x; None where there is none."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P


def unpacked(text: bytes) -> Point | None:
    """A point out of its 32 bytes."""
    y = int.from_bytes(text, "little")
    return lifted(y & ((1 << 255) - 1), y >> 255) if len(text) == 32 else None


def packed(point: Point) -> bytes:
    """A point as 32 bytes."""
    z = pow(point[2], P - 2, P)
    return int.to_bytes(point[1] * z % P | (point[0] * z % P & 1) << 255, 32, "little")


def modulo(text: bytes) -> int:
    """SHA-512 as a number modulo the order of the group."""
    return int.from_bytes(hashlib.sha512(text).digest(), "little") % Q


BASE = lifted(4 * pow(5, P - 2, P) % P, 0) or (0, 1, 1, 0)


def signed_by(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature is of this key over this message."""
    key, point = unpacked(public), unpacked(signature[:32])
    number = int.from_bytes(signature[32:], "little")
    if key is None or point is None or len(signature) != 64 or number >= Q:
        return False
    right = add(point, times(modulo(signature[:32] + public + message), key))
    left = times(number, BASE)
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def linked(before: str, line: dict[str, Any]) -> str:
    """Digest of a raw message behind the one before it."""
    words = [before, line["record"], str(line["received_ns"]), line["topic"], line["payload_base64"]]
    return hashlib.sha256("\n".join(words).encode("utf-8", "surrogateescape")).hexdigest()


def messages(payload: bytes) -> Iterator[dict[str, Any]]:
    """Messages of a JSON payload; nothing where it is another format."""
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return
    yield from (one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict) and isinstance(one.get("values"), dict))


def instant(time: object) -> float | None:
    """Seconds since 1970 of an RFC 3339 time or of a number of s or ms."""
    if isinstance(time, (int, float)):
        return time / 1000 if time > 10**11 else float(time)
    try:
        return datetime.fromisoformat(str(time).replace("Z", "+00:00")).timestamp()  # noqa: FURB162  Python 3.9 and 3.10 know no Z
    except ValueError:
        return None


def faults(read: Read) -> Iterator[str]:
    """What is wrong with a package; the account goes to standard output."""
    manifest_bytes = read("manifest.json")
    manifest = json.loads(manifest_bytes)
    for name, digest in manifest["files"].items():
        if hashlib.sha256(read(name)).hexdigest() != digest:
            yield f"文件被改动 changed: {name}"
    if not signed_by(bytes.fromhex(manifest["public_key"]), manifest_bytes, bytes.fromhex(read("signature.txt").decode().strip())):
        yield "签名无效 the signature is not good"
    said: set[tuple[float, str, str]] = set()
    before, count, other = START, 0, 0
    for text in read("raw.jsonl").decode().splitlines():
        line = json.loads(text)
        count += 1
        if line["previous"] != before or linked(before, line) != line["digest"]:
            yield f"链断于 the chain breaks at {line['record']}"
        before = line["digest"]
        found = list(messages(base64.b64decode(line["payload_base64"])))
        other += not found
        said.update(
            (instant(one.get("time")) or -1.0, item, repr(float(value)))
            for one in found
            for item, value in one["values"].items()
            if isinstance(value, (int, float))
        )
    if before != manifest["chain_head"]:
        yield "链首尾不符 the chain does not end where the manifest says"
    rows = list(csv.DictReader(io.StringIO(read("readings.csv").decode())))
    missing = [row for row in rows if row["value"] and (instant(row["time"]) or -2.0, row["item"], repr(float(row["value"]))) not in said]
    sys.stdout.write(f"公钥 public key {manifest['public_key']}\n原始报文 raw messages {count}，非 JSON 未逐值核对 of another format, not compared: {other}\n")
    sys.stdout.write(f"已存数值 stored values {len(rows)}，报文中找到 found in the messages {len(rows) - len(missing)}\n")
    if missing and not other and manifest["label"] == "end":
        first = missing[0]
        yield f"报文中没有 not in the messages: {first['time']} {first['item']} {first['value']} (+{len(missing) - 1})"


def reader(path: Path) -> Read:
    """Files of a folder or of a zip."""
    if path.is_dir():
        return lambda name: (path / name).read_bytes()
    package = zipfile.ZipFile(path)
    return package.read


def main() -> int:
    """0: everything holds; 1: something does not; 2: no package."""
    try:
        found = list(faults(reader(Path(sys.argv[1] if len(sys.argv) > 1 else "."))))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        sys.stdout.write(f"不是完整的证据包 no whole package: {error}\n")
        return 2
    sys.stdout.write("".join(f"{one}\n" for one in found) or "全部相符 everything holds\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
