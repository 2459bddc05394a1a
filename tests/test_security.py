"""The security file: every clause leads to a test that is there, libraries are new enough and locked, and no secret stands in the tree."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from detect_secrets.core.scan import scan_line
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*sorted((ROOT / "docs" / "security").glob("*.md")), ROOT / "docs" / "access.md"]
LOCKS = ("requirements.txt", "requirements-dev.txt")

# Below these versions a known hole is open: what it is, so that nobody lowers a number without reading it.
SAFE = {
    "urllib3": ((2, 6, 3), "decompression bombs and redirects, CVE-2025-66418, CVE-2025-66471, CVE-2026-21441"),
    "starlette": ((0, 49, 1), "Range header, quadratic time, CVE-2025-62727"),
    "h11": ((0, 16, 0), "request smuggling, CVE-2025-43859"),
    "paho-mqtt": ((2, 1, 0), "the first of the interface that is used"),
    "lxml": ((5, 3, 0), "entities of XML, only in tests"),
    "jinja2": ((3, 1, 6), "sandbox, CVE-2025-27516"),
    "tornado": ((6, 5, 0), "multipart parser, CVE-2025-47287; comes with Dask"),
}

# What looks like a secret and is none: part of the line -> why.
HARMLESS = {
    "-----BEGIN ": "the words by which a certificate is known",
    "hunter2": "the password in addresses that tests see refused",
}
# Only such lines are worth the detectors' time: a header of a key, an address with a user, a long word with a digit in it.
SUSPECT = re.compile(r"-----BEGIN|://[^/\s]*@|(?=[A-Za-z_+/=.-]*\d)[A-Za-z0-9_+/=.-]{20,}")
PLUGINS = (
    "AWSKeyDetector", "ArtifactoryDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "CloudantDetector", "DiscordBotTokenDetector", "GitHubTokenDetector",
    "GitLabTokenDetector", "IbmCloudIamDetector", "JwtTokenDetector", "MailchimpDetector", "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector",
    "SendGridDetector", "SlackDetector", "SoftlayerDetector", "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
TEXTS = {".py", ".md", ".toml", ".txt", ".json", ".jsonl", ".yaml", ".yml", ".conf", ".ini", ".env", ".sh", ".js", ".css", ".html", ".csv", ""}


@cache
def names_of(path: Path) -> frozenset[str]:
    """Test functions of a file."""
    return frozenset(node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_named_test_is_there(page: Path) -> None:
    """A page of the security file that names a test names one that exists, and it names some."""
    named = re.findall(r"(tests/[a-z_0-9/]+\.py)(?:::(test_[a-z_0-9]+))?", page.read_text(encoding="utf-8"))
    wrong = [f"{path}::{name}" for path, name in named if not (ROOT / path).is_file() or (name and name not in names_of(ROOT / path))]

    assert named
    assert [] == wrong


def test_every_clause_has_evidence_or_a_duty() -> None:
    """A clause marked as tested names a test, one marked as a part both a test or a page and a duty, no cell is empty."""
    rows = [
        line
        for line in (ROOT / "docs" / "security" / "matrix.md").read_text(encoding="utf-8").splitlines()
        if re.match(r"\| .* \| .* \| (测试|部分|运行|不具备) \|", line)
    ]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]

    assert len(cells) > 30
    assert [] == [row[0] for row in cells if row[2] == "测试" and "tests/" not in row[3]]
    assert [] == [row[0] for row in cells if len(row) != 4 or not all(row)]


def locked(name: str) -> dict[str, str]:
    """Versions of a lock file."""
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^ \\;]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_no_library_is_older_than_is_safe(lock: str) -> None:
    """Every locked library with a known hole is at a version where the hole is closed."""
    found = locked(lock)
    old = {name: found[name] for name, (least, _) in SAFE.items() if name in found and numbers(found[name]) < least}

    assert {} == old
    assert {"urllib3", "starlette", "h11"} & found.keys()


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers, as far as they go."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_installed_is_locked_by_hash(lock: str) -> None:
    """Each requirement has a version and a hash, and no line names an address."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    requirements = re.split(r"\n(?=\S)", text.strip())

    assert [] == [one.splitlines()[0] for one in requirements if "==" not in one or "--hash=sha256:" not in one]
    assert not re.search(r"https?://|--index-url|--extra-index", text)


def test_the_bill_of_materials_is_the_lock(tmp_path: Path) -> None:
    """`make sbom` names lanbi and exactly the locked libraries, with versions and hashes, as CycloneDX."""
    out = tmp_path / "sbom.cdx.json"
    subprocess.run([str(ROOT / "scripts" / "sbom.sh"), sys.executable, str(out)], check=True, cwd=ROOT, capture_output=True, text=True)
    bill = json.loads(out.read_text(encoding="utf-8"))

    assert "CycloneDX" == bill["bomFormat"]
    assert "lanbi" == bill["metadata"]["component"]["name"]
    assert locked("requirements.txt") == {one["name"]: one["version"] for one in bill["components"]}
    assert all(reference.get("hashes") for one in bill["components"] for reference in one["externalReferences"])


def tracked() -> list[Path]:
    """Text files under version control, without lock files (their hashes look like anything)."""
    told = subprocess.run(["git", "ls-files", "-z"], check=True, cwd=ROOT, capture_output=True, text=True).stdout
    return [ROOT / name for name in told.split("\0") if name and Path(name).suffix in TEXTS and name not in LOCKS and (ROOT / name).is_file()]


def secrets(lines: list[str]) -> list[str]:
    """Lines that hold something that looks like a secret, without what is known to be harmless."""
    with transient_settings({"plugins_used": [{"name": name} for name in PLUGINS]}):
        return [line.strip() for line in lines if SUSPECT.search(line) and any(True for _ in scan_line(line)) and not any(known in line for known in HARMLESS)]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone: which files belong to the project is not known")
def test_no_secret_stands_in_the_tree() -> None:
    """No key, token or address with a password stands in a tracked file."""
    found = {
        path.relative_to(ROOT).as_posix(): some for path in tracked() if (some := secrets(path.read_text(encoding="utf-8", errors="replace").splitlines()))
    }

    assert {} == found


def test_the_scan_sees_what_it_is_there_for() -> None:
    """A private key, a cloud key and a password in an address are seen, among lines that hold none."""
    planted = ["-----BEGIN RSA PRIVATE " + "KEY-----", "key = AKIA" + "IOSFODNN7EXAMPLQ", "url = mqtt://user:" + "c0rrect-h0rse@host", "pm25 = 58"]

    assert planted[1:3] == secrets(planted)
