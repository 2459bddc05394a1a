"""Values that are still text are a mapping like any other."""

from __future__ import annotations

from collections.abc import Mapping

from domain.sent import Sent, kept, sent


def test_it_is_a_mapping() -> None:
    """Whoever looks into it sees what a dictionary would show."""
    values, made = sent(b'"pm25": 58, "co":0.8'), {"pm25": 58.0, "co": 0.8}
    assert isinstance(values, Mapping)
    assert [*made] == [*values]
    assert (2, True, False, 58.0, 0.8, None) == (len(values), "co" in values, "no2" in values, values["pm25"], values.get("co"), values.get("no2"))
    assert [*made.items()] == [*values.items()]
    assert ([*made], [*made.values()]) == ([*values.keys()], [*values.values()])
    assert values == made
    assert made == values
    assert values == sent(b'"co":0.80,"pm25":58.0')
    assert values != {"pm25": 58.0}
    assert repr(made) == repr(values) == repr(dict(values))
    assert (b'"pm25": 58, "co":0.8', made) == (kept(values), kept(made))
    assert isinstance(values, Sent)
