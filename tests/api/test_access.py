"""Only this machine may ask, and only by its own name."""

import asyncio
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from starlette.requests import Request

from api.access import LOCAL, admit
from api.limits import Buckets
from api.problems import Problem
from api.rights import PUBLIC, ROLES
from tests.api.seeded import County
from tests.api.served import Client


def asked(county: County, peer: str | None, host: str) -> Request:
    """A request as it would come from there."""
    app = FastAPI()
    app.state.sources, app.state.buckets = county.sources(), Buckets(county.clock.monotonic)
    words = {"method": "GET", "route": SimpleNamespace(path_format="/"), "path_params": {}, "query_string": b""}
    return Request({"type": "http", "headers": [(b"host", host.encode())], "client": (peer, 5) if peer else None, "app": app, **words})


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", None])
@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "localhost:80", "[::1]:8080", "127.0.0.1"])
def test_this_machine_reads(county: County, peer: str | None, host: str) -> None:
    """The loopback, addressed as such, is the local reader, who enters nothing."""
    assert LOCAL == asyncio.run(admit(asked(county, peer, host)))
    assert set() == LOCAL.rights & {"desk", "manage", "alert"}


@pytest.mark.parametrize(
    ("peer", "host"),
    [("10.0.0.7", "localhost"), ("127.0.0.1", "evil.example"), ("127.0.0.1", "127.0.0.1.evil.example:8080"), ("127.0.0.1", ""), ("unknown", "localhost")],
)
def test_others_do_not(county: County, peer: str, host: str) -> None:
    """Another machine, or a name of elsewhere that points at us, is refused with a word on what to do."""
    with pytest.raises(Problem, match="ssh -L") as refusal:
        asyncio.run(admit(asked(county, peer, host)))

    assert 403 == refusal.value.status


def test_what_is_public_holds_no_figure() -> None:
    """Seven addresses: the page, its files, whether the process answers, the login, and the webhook, which judges keys and signatures itself."""
    assert {"/", "/favicon.ico", "/board/{name}", "/board/plotly.min.js", "/livez", "/api/v1/login", "/api/v1/alerts/grafana"} == {path for _, path in PUBLIC}
    assert not any("manage" in rights for role, rights in ROLES.items() if role != "admin")


@pytest.mark.parametrize("path", ["/", "/board/main.js", "/board/plotly.min.js", "/api/v1/targets", "/api/v1/openapi.json", "/metrics", "/readyz", "/livez"])
def test_every_path_asks(client: Client, path: str) -> None:
    """No page, file, figure or metric is open to a foreign name."""
    assert 403 == client.get(path, Host="evil.example").status
