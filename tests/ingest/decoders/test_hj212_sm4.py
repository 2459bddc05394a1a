"""Encrypted data areas of HJ 212-2025: vectors made by another cipher, keys by date, and what becomes of a packet whose key comes later."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.civil import parse_date
from domain.errors import InputError, NotUnderstood, SettingsError
from edge_sim.hj212 import Logger
from ingest.decoders import hj212_sm4
from ingest.decoders.hj212 import Bad, Dialect, Packet, packets, take, unopened
from ingest.decoders.hj212_sm4 import opened, sealed
from lanbi.hj212_keys import FOLDER, Key, Keyring, add, old, read, with_keys
from tests.ingest.decoders.foreign_house import HOUR, house, judge, reasons, stored
from tests.ingest.decoders.test_hj212_read import FRAMES, MN, speaking

KEY, OTHER = bytes.fromhex("0123456789abcdeffedcba9876543210"), bytes(range(16))
ROWS = [line.split("\t") for line in (Path(__file__).resolve().parents[2] / "samples" / "hj212" / "sealed.txt").read_text(encoding="utf-8").splitlines()[1:]]
SEALED = {name: (plain.encode(), sent.replace("\\r\\n", "\r\n").encode()) for name, _, plain, sent in ROWS}
VALUES = {"pm25": 58.0, "pm10": 112.0, "so2": 9.0, "no2": 41.0, "co": 0.9, "o3": 33.0}


def keyed(*keys: bytes) -> Dialect:
    """A strict reader with these keys."""
    return Dialect(keys=lambda _qn: keys)


@pytest.mark.parametrize("name", SEALED)
def test_vectors_of_another_cipher_are_opened(name: str) -> None:
    """The plain segment comes back, also under a second key; its length may go beyond what a plain segment may have."""
    plain, sent = SEALED[name]

    for keys in ((KEY,), (OTHER, KEY)):
        (found,) = packets(sent, keyed(*keys))
        assert isinstance(found, Packet)
        assert (plain, ("SM4",)) == (found.raw, found.notes)
    assert len(SEALED["V7"][1]) > 1_024 + 12


@pytest.mark.parametrize(("keys", "words"), [((), "no key is registered"), ((OTHER,), "none of the device's keys")])
def test_without_its_key_a_packet_is_told_and_its_sender_known(keys: tuple[bytes, ...], words: str) -> None:
    """The header is plain, the bytes stay together."""
    (found,) = packets(SEALED["V7"][1], keyed(*keys))

    assert isinstance(found, Bad)
    assert ("encrypted", SEALED["V7"][1][6:-6]) == (found.cause, found.raw)
    assert words in found.why
    sender = unopened(found)
    assert sender is not None
    assert (MN, "2061", "") == (sender.header["MN"], sender.command, sender.data)


def test_a_changed_packet_is_not_opened() -> None:
    """Its CRC is that of the plain segment: one byte of a block changes sixteen."""
    (found,) = packets(SEALED["V15"][1].replace(b"{0xe5", b"{0xe4"), keyed(KEY))

    assert isinstance(found, Bad)
    assert "changed on its way" in found.why


@pytest.mark.parametrize("cut", range(0, 1_060, 53))
def test_a_stream_waits_for_the_rest_and_keeps_what_follows(cut: int) -> None:
    """Any half of a long encrypted frame is not judged; the neighbour behind it is read."""
    sent = SEALED["V7"][1]

    assert (None, 0) == take(sent[:cut], 0, keyed(KEY))
    assert [True, True] == [isinstance(one, Packet) for one in packets(sent + FRAMES["V15"], keyed(KEY))]


def test_a_long_frame_that_is_not_encrypted_is_refused_at_once() -> None:
    """Nobody makes us wait for 9,999 bytes; nor for more than an encrypted segment can have."""
    plain = b"##1062" + FRAMES["V7"][6:-6]
    endless = b"##9999" + SEALED["V7"][1][6:]

    for payload in (plain, endless):
        (found,) = packets(payload, keyed(KEY))
        assert isinstance(found, Bad)
        assert "length" == found.cause
    assert (None, 0) != take(endless, 0, keyed(KEY))


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=300).map(str.encode), st.binary(min_size=16, max_size=16))
def test_what_is_sealed_is_opened(area: bytes, key: bytes) -> None:
    """Whatever text, whatever key; less than a block stays plain."""
    sent = sealed(area, key)

    assert area == (opened(sent, key) if len(area) >= 16 else sent)


@pytest.mark.parametrize("area", [b"{0x12,0x34}tail", b"{0x}", b"{0x12", b"{0x" + b"00,0x" * 15 + b"0g}", b"{0x00" + b",0x00" * 15 + b"}" + b"x" * 16])
def test_what_is_not_made_of_blocks_is_told(area: bytes) -> None:
    """Not sixteen bytes, no hexadecimal, a tail that would be a block."""
    with pytest.raises(NotUnderstood, match="whole blocks"):
        opened(area, KEY)


def test_without_the_library_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The core runs without it, and every other packet is read."""
    hj212_sm4._library.cache_clear()
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    (found,) = packets(SEALED["V7"][1], keyed(KEY))
    monkeypatch.undo()
    hj212_sm4._library.cache_clear()

    assert isinstance(found, Bad)
    assert "pip install 'lanbi[sm4]'" in found.why


def test_a_library_that_fails_the_self_test_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The published block of GB/T 32907 must come out."""
    hj212_sm4._library.cache_clear()
    monkeypatch.setattr(hj212_sm4, "TRIAL", (hj212_sm4.TRIAL[0], bytes(16)))
    with pytest.raises(NotUnderstood, match="self-test"):
        sealed(bytes(16), KEY)
    hj212_sm4._library.cache_clear()


# ---- the file of the keys


def kept(folder: Path, text: str, mode: int = 0o600) -> Path:
    """A file of keys of device d1."""
    path = folder / FOLDER / "d1"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    path.chmod(mode)
    return path


def test_readings_of_an_encrypted_hour_are_stored(tmp_path: Path) -> None:
    """The simulator's logger encrypts, accept reads; once the key is given the same message passes, in the same process."""
    county = with_keys(house(speaking("a1", "LOG1")), tmp_path)
    (sent,) = Logger("LOG1", version=2, key=KEY).packets(HOUR, 3_600, VALUES, {"co": "M"})
    early = judge(county, sent)
    add(tmp_path, "d1", KEY.hex(), parse_date("2026-10-01"))
    late = judge(county, sent)

    assert ([], [("bad-encoding", None)]) == (stored(early), reasons(early))
    assert "encrypted" in early[0].refused[0].detail
    assert [("a1", 0, 3_600, VALUES, {"co": "M"})] == stored(late)
    assert [] == reasons(late)


def test_keys_rotate_by_date(tmp_path: Path) -> None:
    """A packet is opened by a key that was in force when it was sent, a week of grace on both sides; without a day by any."""
    first, second, third = (bytes([number] * 16) for number in (1, 2, 3))
    for day, key in (("2026-01-01", first), ("2026-04-01", second), ("2026-06-30", third)):
        add(tmp_path, "d1", key.hex(), parse_date(day))
    keys = Keyring(tmp_path / FOLDER)("d1")

    assert [first] == list(keys("20260115083000000"))
    assert [second, first] == list(keys("20260403083000000"))
    assert [second, first] == list(keys("20260328083000000"))
    assert [third] == list(keys("20261123083000000"))
    assert [] == list(keys("20251201083000000"))
    assert [third, second, first] == list(keys(""))
    assert [] == list(Keyring(tmp_path / FOLDER)("../d1")("20261123083000000"))
    assert 0o600 == (tmp_path / FOLDER / "d1").stat().st_mode & 0o777


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("2026-01-01 " + KEY.hex(), 0o640, "others may read"),
        ("2026-01-01 " + KEY.hex()[:-1], 0o600, "no date and key"),
        ("today " + KEY.hex(), 0o600, "no date and key"),
        ("2026-04-01 " + KEY.hex() + "\n2026-01-01 " + KEY.hex(), 0o600, "no date and key"),
    ],
)
def test_a_file_that_cannot_be_used_costs_its_own_packets(tmp_path: Path, text: str, mode: int, words: str) -> None:
    """The reason stands in the dead letter and in the check, the key in neither."""
    path = kept(tmp_path, text, mode)
    county = with_keys(house(speaking("a1")), tmp_path)
    (refused,) = judge(county, SEALED["V7"][1])[0].refused

    assert words in refused.detail
    assert KEY.hex()[:8] not in refused.detail
    (hint,) = old(county, tmp_path, parse_date("2026-11-23"))
    assert words in hint
    assert KEY.hex()[:8] not in hint
    with pytest.raises(SettingsError):
        read(path)


def test_an_old_key_is_told_and_no_key_is_shown(tmp_path: Path) -> None:
    """After ninety days."""
    county = with_keys(house(speaking("a1")), tmp_path)
    path = add(tmp_path, "d1", KEY.hex() + "\n", parse_date("2026-08-25"))

    assert [] == list(old(county, tmp_path, parse_date("2026-11-23")))
    (hint,) = old(county, tmp_path, parse_date("2026-11-24"))
    assert "91 days old" in hint
    assert KEY.hex() not in repr(read(path)) + repr(county)
    with pytest.raises(InputError, match="that day on"):
        add(tmp_path, "d1", KEY.hex(), parse_date("2026-08-25"))
    with pytest.raises(InputError, match="32 hexadecimal"):
        add(tmp_path, "d1", "short", parse_date("2026-12-01"))
    assert (Key(parse_date("2026-08-25"), KEY),) == read(path)
