"""What all tests share: which skips are for want of a service, and what is said about them at the end."""

import gc
import os
import re
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SERVICE = re.compile(r"mosquitto|influxd|chromium|make services", re.IGNORECASE)
REQUIRED = os.environ.get("LANBI_REQUIRE_SERVICES") == "1"
MEMORY = Path("/dev/shm")
# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("lanbi", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lanbi")
ROOM = 4 * 2**30
OWN = Path("/proc/self/fd")
DESCRIPTORS = 500


def pytest_configure() -> None:
    """Temporary folders lie in memory where it has room: thousands of small histories are journalled, each with its fdatasyncs.

    No test here rests on what a disk does (power cuts are simulated call by call); ``TMPDIR`` has the last word.
    """
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        tempfile.tempdir = str(MEMORY)


@pytest.fixture(autouse=True, scope="module")
def _what_was_opened_is_closed() -> Generator[None]:
    """What the tests of a file leave open is told with its last one, and not with whichever runs when the collector comes by."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def _descriptors_are_given_back() -> Generator[None]:
    """A test that keeps hundreds of them open is named here; otherwise a later one goes silent, for ``select`` ends at 1,023."""
    yield
    if OWN.is_dir():
        assert len(list(OWN.iterdir())) < DESCRIPTORS, f"more than {DESCRIPTORS} descriptors are open: close what the tests opened"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With LANBI_REQUIRE_SERVICES=1 a test that skips for want of a service has failed."""
    report = yield
    if REQUIRED and report.skipped and not hasattr(report, "wasxfail") and SERVICE.search(_reason(report)):
        report.outcome = "failed"
        report.longrepr = f"LANBI_REQUIRE_SERVICES=1, but {item.nodeid} skipped: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips while it is collected."""
    report = yield
    if REQUIRED and report.skipped and SERVICE.search(_reason(report)):
        report.outcome = "failed"
        report.longrepr = f"LANBI_REQUIRE_SERVICES=1, but {collector.nodeid} skipped: {_reason(report)}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The last lines: how many skipped, and what to run so that they do not."""
    skipped = [_reason(report) for report in terminalreporter.stats.get("skipped", [])]
    services = sum(1 for reason in skipped if SERVICE.search(reason))
    terminalreporter.write_line(f"skipped: {len(skipped)}, of them {services} for want of a service")
    if services:
        terminalreporter.write_line("run `make services`, then `make test` again")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
