"""Coming in with a password: sessions, time-outs, lockout, forged cookies, and what never stands anywhere."""

from __future__ import annotations

import pytest

from api.accounts import Doors
from api.app import create_app
from api.limits import LOGINS
from tests.api.house import PASSWORD, START, House
from tests.api.served import Client, Reply, served


@pytest.fixture
def client(operator: Client) -> Client:
    """Of a county of its own, whose sessions and paces no other test sees."""
    return operator


def post(client: Client, path: str, body: str, **headers: str) -> Reply:
    """A JSON body."""
    return client.get(path, method="POST", body=body.encode(), Content_Type="application/json", **headers)


def log_in(client: Client, password: str = PASSWORD, name: str = "wang") -> Reply:
    """A try."""
    return post(client, "/api/v1/login", f'{{"name": "{name}", "password": "{password}"}}')


def cookie(reply: Reply) -> dict[str, str]:
    """The session as a browser would send it back."""
    return {"Cookie": reply.headers["set-cookie"].partition(";")[0]}


def test_a_session_reads_and_ends(client: Client) -> None:
    """A login opens what the role may; the cookie is out of reach of scripts and other sites; after logging out it is worth nothing."""
    reply = log_in(client)
    session = cookie(reply)
    me = client.get("/api/v1/me", **session).json()

    assert (204, "wang", "operator", "session") == (reply.status, me["name"], me["role"], me["door"])
    assert {"HttpOnly", "SameSite=strict"} <= set(reply.headers["set-cookie"].split("; "))
    assert 204 == post(client, "/api/v1/logout", "", **session).status
    assert 401 == client.get("/api/v1/me", **session).status


def test_without_a_login_nothing_is_told(client: Client) -> None:
    """Also this machine logs in once logins are on; the page that asks for the login is open."""
    assert (401, 200) == (client.get("/api/v1/targets").status, client.get("/").status)
    assert "Bearer" == client.get("/api/v1/targets").headers["www-authenticate"]


@pytest.mark.parametrize(
    "headers", [{"Cookie": "lanbi=forged"}, {"Authorization": "Bearer lb_00000000_x"}, {"Authorization": "Basic d2FuZzp4"}, {"Authorization": "Bearer \xe9"}]
)
def test_forged_doors_stay_shut(client: Client, headers: dict[str, str]) -> None:
    """Made-up sessions and keys are 401."""
    assert 401 == client.get("/api/v1/targets", **headers).status


def test_a_wrong_name_sounds_like_a_wrong_password(client: Client) -> None:
    """Who tries names learns nothing, neither from the words nor from the status."""
    assert log_in(client, name="nobody").body == log_in(client, password="wrong").body
    assert 401 == log_in(client, name="nobody").status


def test_five_failures_and_the_account_rests(client: Client, house: House) -> None:
    """The right password does not open it either, until it has rested."""
    tries = [log_in(client, password="wrong").status for _ in range(5)]
    resting = log_in(client)
    house.wall.now += 901

    assert ([401] * 5, 401) == (tries, resting.status)
    assert 204 == log_in(client).status


def test_tries_of_one_address_are_paced(client: Client) -> None:
    """Many names from one address are stopped as well."""
    replies = [log_in(client, name=f"n{number}") for number in range(int(LOGINS.burst) + 1)]

    assert (429, "401") == (replies[-1].status, str(replies[0].status))
    assert int(replies[-1].headers["retry-after"]) >= 1


def test_a_session_ends_when_nobody_acts(client: Client, house: House) -> None:
    """Half an hour without a person ends it, and a board that asks by itself keeps nothing alive; a person does, for twelve hours."""
    idle, active = cookie(log_in(client)), cookie(log_in(client))
    for _ in range(4):
        house.wall.now += 600
        client.get("/api/v1/me", X_Lanbi_Auto="1", **idle)
        client.get("/api/v1/me", **active)

    assert (401, 200) == (client.get("/api/v1/me", **idle).status, client.get("/api/v1/me", **active).status)
    while house.wall.now < START + 12 * 3_600:
        house.wall.now += 1_200
        client.get("/api/v1/me", **active)
    assert 401 == client.get("/api/v1/me", **active).status


def test_another_page_cannot_write(client: Client) -> None:
    """A browser that sends the cookie along names the page that asks; another's is refused."""
    assert 403 == post(client, "/api/v1/logout", "", Origin="https://evil.example", **cookie(log_in(client))).status


def test_a_new_password_ends_every_session(client: Client) -> None:
    """It must differ and be good enough; then old cookies and the old password are worth nothing."""
    session = cookie(log_in(client))
    replies = [
        post(client, "/api/v1/password", f'{{"old": "{old}", "new": "{new}"}}', **session).status
        for old, new in ((PASSWORD, "short"), ("x", "Other-Horse-77"), (PASSWORD, PASSWORD), (PASSWORD, "Other-Horse-77"))
    ]

    assert [422, 422, 422, 204] == replies
    assert (401, 401) == (client.get("/api/v1/me", **session).status, log_in(client).status)
    assert 204 == log_in(client, password="Other-Horse-77").status


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '{"name": NaN}',
        '{"name": 1, "password": 2}',
        '{"name": "\\ud800", "password": "\\ud800"}',
        '{"name": "a", "password": "b", "c": 1}',
        "[" * 50_000,
    ],
)
def test_no_body_breaks_it(client: Client, body: str) -> None:
    """Any body is a 4xx with a sentence, without an echo."""
    reply = post(client, "/api/v1/login", body)

    assert 400 <= reply.status < 500
    assert "application/problem+json" == reply.headers["content-type"]
    assert len(reply.body) < 600


def test_broken_utf8_is_refused(client: Client) -> None:
    """Bytes that are no text."""
    assert 400 <= client.get("/api/v1/login", method="POST", body=b'{"name": "\xff\xfe"}', Content_Type="application/json").status < 500


def test_logins_off_means_this_machine_alone(house: House) -> None:
    """Then nobody can log in, this machine reads, and nothing can be entered."""
    with served(create_app(house.sources(login=False))) as client:
        assert (409, 200) == (log_in(client).status, client.get("/api/v1/targets").status)
        assert (403, 200) == (client.get("/api/v1/audit").status, client.get("/api/v1/account").status)
        assert "local" == client.get("/api/v1/me").json()["door"]


def test_names_are_listed(house: House) -> None:
    """A name of elsewhere that points here is refused; a listed one is not."""
    with served(create_app(house.sources(names=frozenset({"board.example"})))) as client:
        assert (403, 200) == (client.get("/", Host="evil.example").status, client.get("/", Host="Board.Example:8443").status)


def test_secrets_stand_nowhere(client: Client, house: House, capfd: pytest.CaptureFixture[str]) -> None:
    """A password, a wrong one, a session and a key: none is in any file of the data folder, in the log of deeds, or in what is printed."""
    session = cookie(log_in(client))
    log_in(client, password="Seeded-Wrong-1")
    client.get("/api/v1/me", Authorization="Bearer lb_deadbeef_SeededKeySecret")
    client.get("/api/v1/targets?no=SeededQuerySecret", **session)
    secrets = [PASSWORD, "Seeded-Wrong-1", session["Cookie"].partition("=")[2], *(key.split("_", 2)[2] for key in house.keys.values()), "SeededKeySecret"]
    files = b"".join(path.read_bytes() for path in house.county.data.rglob("*") if path.is_file())
    told = files.decode(errors="ignore") + str(house.accounts.deeds(0, 1_000, None)) + "".join(capfd.readouterr())

    assert [] == [secret for secret in secrets if secret in told]


def test_doors_default_to_shut() -> None:
    """Without being told otherwise there are no logins, no names, no accounts."""
    assert (None, None, False, frozenset()) == (Doors().accounts, Doors().audit, Doors().login, Doors().names)
