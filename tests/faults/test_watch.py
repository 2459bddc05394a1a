"""What looks at a house while a campaign runs: a part that dies amidst its answer is silent, an answer that does not add up is a breach."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults.parts.house import House
from tests.faults.parts.watch import TERMS, Watch


@contextmanager
def speaker(answer: bytes) -> Iterator[Watch]:
    """A watch before a port that says this once and closes."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def say() -> None:
            link, _ = server.accept()
            with link, link.makefile("rb") as asked:
                # To the end of the head: what is not read when it closes would cost the answer.
                while asked.readline().strip():
                    pass
                link.sendall(answer)

        thread = threading.Thread(target=say, daemon=True)
        thread.start()
        yield Watch(cast(House, SimpleNamespace(health_port=server.getsockname()[1])))
        thread.join(10)


def page(length: int, **terms: int) -> bytes:
    """An answer that announces so many bytes more than it has."""
    text = "".join(f"{name} {terms.get(term, 0)}\n" for name, term in TERMS.items()).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text) + length, text)


@pytest.mark.parametrize(("answer", "scrapes", "breaches"), [(page(7_414), 0, 0), (b"", 0, 0), (page(0), 1, 0), (page(0, received=1), 1, 1)])
def test_only_whole_answers_are_judged(answer: bytes, scrapes: int, breaches: int) -> None:
    """Half an answer and none are no scrape; a whole one counts, and is a breach if received is not the sum of the rest."""
    watch: Any
    with speaker(answer) as watch:
        watch.scrape()

    assert (scrapes, breaches) == (watch.scrapes, len(watch.breaches))
