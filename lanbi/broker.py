"""The demo's own MQTT broker: iotcore (rumqttd), on 127.0.0.1 only, in memory only.

It forgets everything when it stops and lets any client publish anything: good for a demo and for quick tests, never for a
bureau, whose broker is named in the settings.
"""

from __future__ import annotations

import argparse
import logging
import sys
from typing import Final
from urllib.parse import urlsplit

from iotcore import Broker

from domain.errors import LanbiError, PortTaken
from domain.reasons import MAX_MESSAGE
from domain.sayings import both
from lanbi import wiring

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 1883
OVERHEAD: Final = 1_024
"""Topic and header count into the broker's limit; beyond it a client is cut off without a word."""
EMBEDDED: Final = "embedded"


def embedded(port: int = DEFAULT_PORT) -> Broker:
    """A broker that can be started and stopped, with lanbi's message size."""
    return Broker(port=port, listen=HOST, max_payload_size=MAX_MESSAGE + OVERHEAD)


def port_of(url: str) -> int:
    """Port of the broker's address in the settings."""
    return DEFAULT_PORT if url == EMBEDDED else urlsplit(url).port or DEFAULT_PORT


def main() -> int:
    """Run the broker until it is ended; the engine has no shutdown of its own, and nothing to save."""
    parser = argparse.ArgumentParser(prog="python -m lanbi.broker", description=__doc__)
    parser.add_argument("--config", metavar="FILE")
    try:
        port = port_of(wiring.settings(parser.parse_args().config).broker.url)
        # The engine logs every packet as an error span; its refusals reach the clients anyway.
        logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
        broker = embedded(port)
        _check(broker, port)
        broker.run_forever()
    except LanbiError as error:
        sys.stderr.write(f"{both(str(error))}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def _check(broker: Broker, port: int) -> None:
    try:
        broker._native.check_ports()  # noqa: SLF001  start() would look too, but in a child of its own
    except OSError as error:
        what = f"the broker cannot listen: {error}"
        raise PortTaken(what, f"{HOST}:{port}", "stop what uses the port, or set broker.url") from error


if __name__ == "__main__":
    sys.exit(main())
