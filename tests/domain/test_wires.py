"""Payloads that are read together say what each of them says alone, whatever their bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from domain.exact import SEAM
from domain.message import Message, Wire, decode, encode
from domain.sent import Sent
from domain.wires import FEW, Reader, Wires

RANGES = {"co": (-5.0, 100.0), "temp": (-50.0, 60.0)}
READERS = {"any": Wires(), "ranged": Wires(RANGES)}
GOOD = b'{"seq":%d,"time":"2026-11-23T08:00:00+08:00","span":60,"values":{"co":%d,"temp":7.5}}'
MESSAGES = [
    GOOD % (1, 5),
    GOOD % (2, -3),
    b'{"time":1795392000,"span":0,"values":{"co":-0.0,"temp":0}}',
    b'{"time":1,"span":0,"values":{"co":-1e-400}}',
    b' {"time": 1, "span": 0, "values": {"co": -0.0}}',
    b'{"time":"a],[b","span":0,"values":{"co":1},"source":"tc-a01","flags":{"co":"M"},"run":4,"corrects":true}',
    '{"time":"站","span":0,"values":{"co":1},"source":null,"flags":null}'.encode(),
    b'{"time":1,"span":0,"values":{"co":1,"zzz":[[1],[{}]]}}',
    b'{"time":1,"span":0,"values":{"co":1},"span":0}',
    b'{"time":1,"span":0,"values":{"co":1e9,"temp":null}}',
    b'{"time":1,"span":0,"values":{}}',
    b'[{"time":1,"span":0,"values":{"co":-0.0}},{"time":2,"span":0,"values":{"co":2}}]',
    b"[]", b"{}", b"", b"[", b"{", b"]]", b"{}],\n[{}", b'"', b"\\", b"\xe7", b"NaN",
]  # fmt: skip


@st.composite
def pieces(draw: st.DrawFn) -> list[bytes]:
    """Messages and rubbish; now and then what the seams join is cut where no payload ends."""
    whole = draw(st.lists(st.sampled_from(MESSAGES) | st.sampled_from(MESSAGES[:6]), min_size=1, max_size=20))
    if draw(st.integers(0, 2)):
        return whole
    text = draw(st.sampled_from([SEAM, b",", b"],[", b"", b"\n"])).join(whole)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=len(whole) + 2)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def said(found: Sequence[Sequence[Wire] | None]) -> list[str]:
    """To the sign of zero, whatever kind of mapping the values are."""
    names = [name for name in Wire.__struct_fields__ if name != "values"]
    return [repr(one and [(dict(wire.values), *(getattr(wire, name) for name in names)) for wire in one]) for one in found]


def forms(reader: Wires, payloads: Sequence[bytes]) -> list[Reader]:
    """Readers of the forms that payloads have, and the general one."""
    return [reader, *(reader.exact(wire) for one in reader.read(payloads) for wire in one or ())]


@given(st.sampled_from(sorted(READERS)), pieces())
def test_together_as_alone(name: str, payloads: list[bytes]) -> None:
    """Nobody says anything for a neighbour, also where bytes of several would make sense together."""
    reader = READERS[name]
    assert said([one for payload in payloads for one in reader.read([payload])]) == said(list(reader.read(payloads)))


@given(pieces(), st.integers(0, 30))
def test_a_reader_of_one_form_reads_as_the_general_one(payloads: list[bytes], which: int) -> None:
    """Whatever it does not understand the other reads; and what is bare says nothing but number, time, span and values."""
    general = READERS["ranged"]
    some = forms(general, [*MESSAGES, *payloads])
    heard = general.hear(payloads, some[which % len(some)])
    assert said([one for payload in payloads for one in general.read([payload])]) == said(heard.messages)
    for wire in heard.bare:
        assert (True, UNSET, UNSET, UNSET, UNSET) == (type(wire.seq) is int, wire.run, wire.source, wire.flags, wire.corrects)
    assert not heard.bare or list(heard.bare) == [wire for one in heard.messages for wire in one or ()]


NUMBERS = st.one_of(
    st.floats(-5, 60).map(repr),
    st.integers(-5, 60).map(str),
    st.decimals(-5, 60, places=3).map(str),
    st.builds("{}{}e{}{}".format, st.sampled_from(["", "-"]), st.integers(1, 9), st.sampled_from(["", "-", "+"]), st.integers(0, 400)),
    st.sampled_from(["0", "-0", "-0.0", "0e5", "-0E-7", "1E0", "5.0E+0", "-0.5", "1e-400", "12.345678901234567890123456789", "0.1000000000000000055511151231257827", "null", "NaN", "01", "-1e-400", "-1E-400"]),
)  # fmt: skip
WHITE = st.sampled_from(["", "", "", " ", "\t", "\r\n", "  "])


@given(st.lists(st.tuples(NUMBERS, NUMBERS, WHITE, st.booleans()), min_size=1, max_size=12))
def test_a_number_keeps_its_text_and_is_the_same_number(rows: list[tuple[str, str, str, bool]]) -> None:
    """What the general reader makes of a text, the text itself says; but a negative zero, and what is out of range, is never left as text."""
    general = READERS["ranged"]
    payloads = []
    for number, (co, temp, white, turned) in enumerate(rows):
        items = [f'"{name}"{white}:{white}{value}{white}' for name, value in (("co", co), ("temp", temp))]
        text = f",{white}".join(reversed(items) if turned else items)
        payloads.append(f'{{"seq":{number},"time":"2026-11-23T08:00:00+08:00","span":60,"values":{{{text}}}}}'.encode())
    alone = [one for payload in payloads for one in general.read([payload])]
    heard = general.hear(payloads, general.exact(Wire("", 0, {"co": 1.0, "temp": 1.0}, seq=1)))
    assert said(alone) == said(heard.messages)
    for one in heard.messages:
        for wire in one or ():
            if isinstance(wire.values, Sent):
                fields = wire.values.text.translate(None, b' "\t\r\n').decode().split(",")
                assert repr({name: float(number) for name, number in (field.split(":") for field in fields)}) == repr(dict(wire.values))


def test_most_messages_are_left_as_text() -> None:
    """Else nobody would notice that none is."""
    general = READERS["ranged"]
    payloads = [GOOD % (n, n % 90) for n in range(50)]
    reader = general.exact((general.read(payloads)[0] or ())[0])
    assert [True] * 50 == [isinstance(wire.values, Sent) for one in general.hear(payloads, reader).messages for wire in one or ()]
    assert [*range(50)] == [wire.seq for wire in general.hear(payloads, reader).bare]
    lists = [b"[" + b", ".join(payloads[start : start + 5]) + b"]" for start in range(0, 50, 5)]
    assert [*range(50)] == [wire.seq for wire in general.hear(lists, reader).bare]


def test_one_form_among_others() -> None:
    """Messages of the form, with flags, with another item, and bad ones in any place: each says its own."""
    general = READERS["ranged"]
    flagged = b'{"seq":3,"time":"2026-11-23T08:00:00+08:00","span":60,"values":{"co":5,"temp":7.5},"flags":{"co":"M"}}'
    others = [flagged, b'{"seq":4,"time":"2026-11-23T08:00:00+08:00","span":60,"values":{"co":5}}', b"rubbish", GOOD % (5, 101)]
    twice = b'{"seq":6,"time":"2026-11-23T08:00:00+08:00","span":60,"values":{"co":5,"temp":7.5,"co":6}}'
    reader = general.exact((general.read([flagged])[0] or ())[0])
    for place in (0, 7, 49):
        for other in (*others, twice):
            payloads = [*[GOOD % (n, 1) for n in range(place)], other, *[GOOD % (n, 2) for n in range(place, 50)]]
            heard = general.hear(payloads, reader)
            assert said([general.read([payload])[0] for payload in payloads]) == said(heard.messages)
            assert () == heard.bare


@given(st.sampled_from(MESSAGES))
def test_what_is_read_is_what_decode_finds(payload: bytes) -> None:
    """A payload that is read has the readings that the other way finds, or needs a look at its times alone; zeros lose their sign."""
    found = READERS["any"].read([payload])[0]
    if found is not None:
        other = decode(payload)
        assert len(found) == (0 if payload == b"[]" else len(other))
        for wire, one in zip(found, other, strict=False):
            if isinstance(one, Message):
                plus = {name: None if value is None else value + 0.0 for name, value in one.values.items()}
                assert (repr(plus), one.span) == (repr(wire.values), wire.span)


@pytest.mark.parametrize("many", [1, FEW, 100])
@pytest.mark.parametrize(
    "trick",
    [
        [b'{"time":1,"span":0,"values":{"co":1', b'"temp":2}}', GOOD % (1, 1) + b"," + GOOD % (2, 1)],
        [b'{"time":1,"span":0,"values":{"zzz":[[', b"]],", b'"co":2}}', GOOD % (1, 1) + b"],\n[" + GOOD % (2, 1) + SEAM + GOOD % (3, 1)],
        [b'{"time":"', b'","span":0,"values":{"co":1}}', GOOD % (1, 1) + SEAM + GOOD % (2, 1)],
        [b"[" + GOOD % (1, 1), GOOD % (2, 1) + b"]", b"[" + GOOD % (3, 1) + b"]],[[" + GOOD % (4, 1) + b"]"],
        [b"", GOOD % (1, 1) + SEAM + GOOD % (2, 1)],
        [b"]],[[", GOOD % (1, 1)],
    ],
)
def test_no_payload_shifts_others(trick: list[bytes], many: int) -> None:
    """Halves of messages and one too many, as somebody would send who wants his neighbours' readings to bear another name."""
    good = [GOOD % (100 + n, n % 90) for n in range(many)]
    for reader in READERS.values():
        payloads = [trick[0], *good, *trick[1:], *good]
        found = reader.read(payloads)
        assert found[0] is None
        assert said([reader.read([one])[0] for one in payloads]) == said(list(found))
        assert [100 + n for n in range(many)] == [wire.seq for one in found[1 : 1 + many] for wire in one or ()]
        assert [100 + n for n in range(many)] == [wire.seq for one in found[-many:] for wire in one or ()]


def test_one_bad_among_many() -> None:
    """Only it is left out, wherever it stands; too long ones are, too."""
    good = [GOOD % (n, 1) for n in range(50)]
    for place in (0, 7, 49):
        for bad in (b"rubbish", GOOD % (1, 101), b'{"time":1,"span":0,"values":{"co":1}' + b" " * 100_000 + b"}"):
            found = READERS["ranged"].read([*good[:place], bad, *good[place:]])
            assert [place] == [at for at, one in enumerate(found) if one is None]


@pytest.mark.parametrize(
    "twice",
    [b'{"time":1,"span":0,"values":{"co":1},"span":0}', b'{"time":1,"span":0,"values":{"co":1,"co":2}}', b'{"time":1,"span":0,"values":{"c\\u006f":1}}'],
)
def test_a_key_that_stands_twice_needs_a_second_look(twice: bytes) -> None:
    """Which of two values was meant nobody knows; alone or among others, and nothing that others leave out makes up for it."""
    other = b'{"time":1,"span":0,"values":{}}'
    assert [None] == READERS["any"].read([twice])
    for place in (0, 7, 49):
        found = READERS["any"].read([*[other] * place, twice, *[other] * (49 - place)])
        assert [place] == [at for at, one in enumerate(found) if one is None]


def test_negative_values_stay() -> None:
    """Only zeros lose their sign."""
    payloads = [encode(Message(1, 60, {"temp": value})) for value in (-1.5, -0.0, 0.0, 2.0)] * 10
    found = READERS["ranged"].read(payloads)
    assert ["-1.5", "0.0", "0.0", "2.0"] * 10 == [str(value) for one in found for wire in one or () for value in wire.values.values()]
    (wire,) = READERS["ranged"].read([json.dumps({"time": 1, "span": 60, "values": {"temp": -0.0}}).encode()])[0] or [Wire(0, 0, {})]
    assert "0.0" == str(wire.values["temp"])
