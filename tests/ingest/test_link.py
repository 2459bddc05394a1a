"""The link to a broker: when it is dead, when to dial again, and in which words it is told."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import causes
from ingest.link import LONGEST_S, STEADY_S, TWINS, Health, Pulse, Redial, Wish


@given(st.integers(1, 30).map(lambda n: 20 * n), st.lists(st.integers(0, 40), max_size=30))
def test_a_dead_link_is_noticed_within_the_keepalive(keepalive: int, pauses: list[int]) -> None:
    """Whenever the last packet came: one ping at half the keep-alive, the end at the whole of it, and never before."""
    pulse = Pulse(keepalive)
    now = 100.0
    pulse.opened(now)
    pulse.login = True
    for pause in pauses:
        now += min(pause, keepalive // 2 - 1)
        assert pulse.wish(now) is Wish.NOTHING
        pulse.packet(now)
    last = now

    wishes = [(step, pulse.wish(last + step * keepalive // 20)) for step in range(21)]

    assert [10] == [step for step, wish in wishes if wish is Wish.PING]
    assert [20] == [step for step, wish in wishes if wish is Wish.DROP]


def test_a_login_that_nobody_answers_is_given_up_sooner() -> None:
    """A port that takes the connection and says nothing is not waited for as long as a known broker."""
    pulse = Pulse(60)
    pulse.opened(0.0)

    assert [Wish.NOTHING, Wish.DROP] == [pulse.wish(9.9), pulse.wish(10.0)]


def dials(name: str, seconds: float) -> list[float]:
    """When a client dials whose broker is away for so long, beginning with the loss of a good connection at 0."""
    redial, at = Redial(name), []
    redial.lost(0.0, STEADY_S)
    while redial.due < seconds:
        at.append(redial.due)
        redial.failed(redial.due)
    return at


def test_no_two_clients_dial_in_step() -> None:
    """200 clients of one broker that went away for ten minutes: their dials are spread over the whole pause, each time."""
    everybody = [dials(f"lanbi-ingest-{number}", 600.0) for number in range(200)]

    assert 200 == len({tuple(one) for one in everybody})
    for attempt in range(12):
        moments = sorted(one[attempt] for one in everybody)
        pause = min(LONGEST_S, 0.5 * 2.0**attempt)
        busiest = max(sum(start <= other < start + pause / 20 for other in moments) for start in moments)
        assert busiest < 50, f"attempt {attempt}: {busiest} of 200 within a twentieth of the pause"


@given(st.text(max_size=20), st.integers(5, 600))
def test_the_pause_grows_and_never_passes_the_keepalive(name: str, keepalive: int) -> None:
    """So that twice the keep-alive suffices for notice and return; a good connection makes the next dial quick again."""
    redial = Redial(name, min(LONGEST_S, keepalive))
    pauses = []
    for _ in range(14):
        redial.failed(0.0)
        pauses.append(redial.due)

    assert 0.25 <= pauses[0] <= 0.5
    assert max(pauses) <= min(LONGEST_S, keepalive)
    assert min(pauses[-4:]) >= min(LONGEST_S, keepalive) / 2
    redial.lost(0.0, STEADY_S)
    assert redial.due <= 0.5


def test_short_connections_are_counted_and_make_it_wait() -> None:
    """Whoever is thrown out at once again and again does not fight for the place, and says what that may mean."""
    redial = Redial("x")
    for _ in range(TWINS):
        redial.lost(0.0, 0.1)

    assert (True, True) == (redial.twin, redial.due >= 1.0)
    redial.lost(0.0, STEADY_S)
    assert not redial.twin


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "nobody listens"),
        (TimeoutError("timed out"), "no answer"),
        (socket.gaierror(-2, "Name or service not known"), "no such host"),
        (OSError(errno.ENETUNREACH, "x"), "network cannot be reached"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "speaks no TLS"),
        (ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required"), "client certificate"),
        (ValueError("Invalid host."), "ValueError: Invalid host."),
    ],
)
def test_errors_are_told_in_plain_words(error: Exception, words: str) -> None:
    """Chinese first, English beside; what is not known keeps its own words."""
    said = causes.of_error(error)

    assert words in said
    assert said[0].isascii() == isinstance(error, ValueError)


def test_a_cut_is_told_by_whether_tls_was_spoken() -> None:
    """A plain broker answers a TLS greeting by cutting the connection."""
    cut = ConnectionResetError(errno.ECONNRESET, "x")

    assert ("plain port" in causes.of_error(cut, tls=True), "plain port" in causes.of_error(cut)) == (True, False)


@pytest.mark.parametrize(("code", "words"), [(0x86, "wrong user name or password"), (0x87, "not authorised"), (0x85, "client id"), (0x99, "as it says")])
def test_refusals_are_told_in_plain_words(code: int, words: str) -> None:
    """By reason code; an unknown one keeps the broker's words."""
    assert words in causes.of_refusal(code, "as it says")
    assert causes.of_refusal(code, "as it says").startswith("拒绝登录 login refused: ")


def test_a_connection_without_subscription_is_not_ready() -> None:
    """However well it looks, it hears nothing."""
    health = Health(connected=True, subscribed=False, cause="x")

    assert ["broker: x"] == health.reasons()
    health.subscribed = True
    assert [] == health.reasons()
