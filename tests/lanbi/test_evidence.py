"""Evidence packages: whole, signed, chained, checked by a script that knows no lanbi; every change shows."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lanbi import wiring
from lanbi.cli import main
from lanbi.evidence import signing, verify
from lanbi.forwarding import forward
from lanbi.journal import JournalWriter
from lanbi.secret import Secret

NS = 10**9
NOW = 1_760_000_000
COUNTY = """
[county]
id = "c"
name = "示例区"
[[air_station]]
id = "a1"
name = "区政府"
role = "assessment"
[[air_station]]
id = "a2"
name = "邻居"
role = "assessment"
[[device]]
id = "d-1"
sources = ["a1"]
interval = 3600
state = "accepted"
[[device]]
id = "d-2"
sources = ["a2"]
interval = 3600
state = "accepted"
"""
# RFC 8032, 7.1: secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS)
def test_signatures_are_those_of_the_standard(secret: str, public: str, message: str, signature: str) -> None:
    """RFC 8032's own examples, both ways; another message, key or signature does not fit."""
    key, text, signed = Secret(secret), bytes.fromhex(message), bytes.fromhex(signature)

    assert (public, signature) == (signing.public(key).hex(), signing.signature(key, text).hex())
    assert verify.signed_by(bytes.fromhex(public), text, signed)
    assert [False] * 5 == [
        verify.signed_by(bytes.fromhex(public), text + b"x", signed),
        verify.signed_by(bytes.fromhex(public), text, signed[:-1] + b"\xff"),
        verify.signed_by(bytes(32), text, signed[:32] + bytes(31)),
        verify.signed_by(b"\xff" * 32, text, signed),
        verify.signed_by(bytes.fromhex(public), text, b""),
    ]


def message(seq: int, hour: int, pm25: float, source: str = "a1") -> str:
    """What a device sends."""
    return json.dumps(
        {"seq": seq, "time": f"2025-10-09T{hour:02d}:00:00+08:00", "span": 3600, "source": source, "values": {"pm25": pm25, "co": 0.5}, "flags": {"co": "M"}}
    )


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A county whose journal holds two devices' messages, a correction, one that is refused and one that is no JSON."""
    (tmp_path / "county.toml").write_text(COUNTY, encoding="utf-8")
    (tmp_path / "plan.toml").write_text((Path(__file__).resolve().parents[2] / "plans/chiping.toml").read_text(), encoding="utf-8")
    file = tmp_path / "lanbi.toml"
    file.write_text(f'data = "{tmp_path / "var"}"\ncounty = "{tmp_path / "county.toml"}"\ntargets = ["{tmp_path / "plan.toml"}"]\n', encoding="utf-8")
    settings = wiring.settings(str(file))
    writer = JournalWriter(settings.data / "journal", "mqtt")
    sent = [
        ("d-1", message(1, 8, 35.0)),
        ("d-1", message(2, 9, 36.5)),
        ("d-2", message(1, 9, 77.0, "a2")),
        ("d-1", message(3, 8, 34.0)),
        ("d-1", message(4, 10, 99999.0)),
        ("d-1", "{"),
    ]
    for number, (device, payload) in enumerate(sent):
        writer.append(f"lanbi/v1/{device}/data", payload.encode(), received_ns=(NOW + 600 * number) * NS, readings=1)
    writer.commit()
    writer.close()
    forward(settings, wiring.registry(settings), "mqtt")
    return str(file)


def package(config: str, folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Path, str]:
    """`lanbi report evidence`."""
    path = folder / "evidence.zip"
    span = words or ("--from", "2025-10-09", "--to", "2025-10-09")
    capsys.readouterr()
    code = main(["report", "evidence", "--source", "a1", *span, "-o", str(path), "--config", config])
    said = capsys.readouterr()
    return code, path, said.out + said.err


def checked(path: Path) -> tuple[int, str]:
    """The script of the package, run alone, without lanbi in sight."""
    with zipfile.ZipFile(path) as whole:
        script = path.with_name("verify.py")
        script.write_bytes(whole.read("verify.py"))
    answer = subprocess.run([sys.executable, "-I", "-S", str(script), str(path)], capture_output=True, text=True, check=False, cwd=path.parent)
    return answer.returncode, answer.stdout


def rows(path: Path, name: str) -> list[dict[str, str]]:
    """A table of the package."""
    with zipfile.ZipFile(path) as whole:
        return list(csv.DictReader(io.StringIO(whole.read(name).decode())))


def test_the_package_holds_and_says_what_happened(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Own messages only; values as they stand with flags, every version, what was refused; the script finds every value in a message."""
    code, path, said = package(config, tmp_path, capsys)
    with zipfile.ZipFile(path) as whole:
        raw = [json.loads(line) for line in whole.read("raw.jsonl").decode().splitlines()]
        manifest = json.loads(whole.read("manifest.json"))

    assert (0, 5) == (code, len(raw))
    assert {"lanbi/v1/d-1/data"} == {line["topic"] for line in raw}
    assert [("pm25", "34.0", "N"), ("co", "0.5", "M")] == [(row["item"], row["value"], row["flag"]) for row in rows(path, "readings.csv")[:2]]
    assert {"35.0", "34.0"} <= {row["value"] for row in rows(path, "versions.csv")}
    assert {"value-out-of-range", "bad-json"} == {row["reason"] for row in rows(path, "refused.csv")}
    assert manifest["public_key"] in said
    answer = checked(path)
    assert (0, True) == (answer[0], "全部相符 everything holds" in answer[1]), answer[1]
    assert "原始报文 raw messages 5" in answer[1]


def test_the_same_state_makes_the_same_package(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Byte for byte, and by the same key, which nobody else may read."""
    first = package(config, tmp_path, capsys)[1].read_bytes()

    assert first == package(config, tmp_path, capsys)[1].read_bytes()
    assert 0o600 == (tmp_path / "var" / "secrets" / "evidence").stat().st_mode & 0o777


def changed(path: Path, name: str, before: bytes, after: bytes, *, mend: bool) -> None:
    """A forger's hand: a file of the package is changed; with ``mend`` its digest in the manifest too."""
    with zipfile.ZipFile(path) as whole:
        files = {one: whole.read(one) for one in whole.namelist()}
    assert before in files[name]
    files[name] = files[name].replace(before, after, 1)
    if mend:
        manifest = json.loads(files["manifest.json"])
        manifest["files"][name] = hashlib.sha256(files[name]).hexdigest()
        files["manifest.json"] = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    with zipfile.ZipFile(path, "w") as whole:
        for one, content in files.items():
            whole.writestr(one, content)


@pytest.mark.parametrize(
    ("name", "before", "after", "mend", "word"),
    [
        ("readings.csv", b"34.0", b"33.0", False, "被改动"),
        ("readings.csv", b"34.0", b"33.0", True, "签名无效"),
        ("raw.jsonl", b'"received_ns": 176', b'"received_ns": 175', True, "链断于"),
        ("manifest.json", "示例区".encode(), "别的区".encode(), False, "签名无效"),
        ("refused.csv", b"bad-json", b"nothing", False, "被改动"),
    ],
)
def test_every_change_shows(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, before: bytes, after: bytes, mend: object, word: str
) -> None:
    """A changed value, message, time or word is told, also where the forger mended the digests."""
    path = package(config, tmp_path, capsys)[1]
    changed(path, name, before, after, mend=bool(mend))
    code, said = checked(path)

    assert (1, True) == (code, word in said), said


def test_what_is_no_package_is_told(tmp_path: Path) -> None:
    """Exit code 2 and a sentence, no traceback."""
    (tmp_path / "x.zip").write_bytes(b"no zip")
    answer = subprocess.run([sys.executable, "-I", str(Path(verify.__file__)), str(tmp_path / "x.zip")], capture_output=True, text=True, check=False)

    assert (2, "") == (answer.returncode, answer.stderr)
    assert "no whole package" in answer.stdout


@pytest.mark.parametrize(
    "words",
    [("--from", "2025-10-09", "--to", "2025-10-01"), ("--from", "soon", "--to", "2025-10-09"), ("--from", "2025-10-09", "--to", "2025-10-09", "--late", "-1")],
)
def test_wrong_wishes_leave_no_file(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    """Exit code 2, and nothing that looks like a package."""
    code, path, said = package(config, tmp_path, capsys, *words)

    assert (2, False) == (code, path.exists())
    assert "lanbi:" in said


def test_an_unknown_source_is_told(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody's evidence."""
    assert 2 == main(
        ["report", "evidence", "--source", "nobody", "--from", "2025-10-09", "--to", "2025-10-09", "-o", str(tmp_path / "e.zip"), "--config", config]
    )
    assert not (tmp_path / "e.zip").exists()


def test_a_folder_is_no_file(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A place that cannot be written: exit code 1, no traceback."""
    assert 1 == main(["report", "evidence", "--source", "a1", "--from", "2025-10-09", "--to", "2025-10-09", "-o", ".", "--config", config])
    assert "it is a folder" in capsys.readouterr().err


def test_a_package_without_messages_says_so(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Silence of a source may be what is proven; a mistyped year must not pass for it unseen."""
    with_messages = package(config, tmp_path, capsys)[2]
    code, path, said = package(config, tmp_path, capsys, "--from", "2024-10-09", "--to", "2024-10-09")

    assert (0, True) == (code, path.exists())
    assert (False, True) == ("没有报文" in with_messages, "没有报文" in said)
