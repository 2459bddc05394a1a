"""What the browser tests of pages behind a login share: sizes, when a page is ready, an alert, and logging in by hand."""

from __future__ import annotations

from api.desk import Alert
from tests.api.house import PASSWORD
from tests.api.served import Client
from tests.system.chromium_page import Page

SIZES = {"desk": (1440, 900), "phone": (390, 844)}
READY = "document.documentElement?.dataset.ready === 'true'"


def alert(name: str) -> Alert:
    """A firing alert."""
    return Alert(name, "2025-10-15T09:00:00+08:00", "firing", f"告警 {name}", "page", "空气科", "<b>实验中学</b> 30 小时无数据", "", {})


def enter(page: Page, client: Client, name: str, path: str = "/board/desk.html", size: str = "desk") -> None:
    """Log in by hand and come to a page."""
    page.size(*SIZES[size])
    # From nowhere, so that no page of before is taken for the one that is to come.
    page.open("about:blank")
    page.wait("location.href === 'about:blank'")
    page.call("Network.clearBrowserCookies")
    page.open(f"http://127.0.0.1:{client.port}{path}")
    page.wait("location.pathname === '/board/login.html' && document.querySelector('#login button')?.textContent")
    page.run(f"document.getElementById('name').value = '{name}'; document.getElementById('password').value = '{PASSWORD}'")
    page.run("document.querySelector('#login button').click()")
    page.wait(f"location.pathname === '{path}' && {READY}")
