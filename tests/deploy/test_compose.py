"""The compose files: valid by the specification's own schema, open to nobody, and without a secret."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from lanbi.settings import load

ROOT = Path(__file__).resolve().parents[2]
FILES = ("deploy/compose/compose.yaml", "deploy/grafana/compose.yaml")
VALID = jsonschema.Draft7Validator(json.loads((Path(__file__).parent / "compose-spec.json").read_text()))


def composed(name: str) -> dict[str, Any]:
    """A compose file as Compose reads it, anchors and merges resolved."""
    found: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return found


def services() -> dict[str, dict[str, Any]]:
    """All services, one that extends another file's with what it takes from there."""
    found = composed(FILES[0])["services"]
    for name, body in found.items():
        if "extends" in body:
            base = composed("deploy/" + body["extends"]["file"].removeprefix("../"))["services"][body["extends"]["service"]]
            found[name] = {**base, **body}
    return dict(found)


@pytest.mark.parametrize("name", FILES)
def test_a_compose_file_is_valid(name: str) -> None:
    """Every key and value is one that the specification knows."""
    VALID.validate(composed(name))


def test_the_schema_tells_a_typing_error() -> None:
    """The yardstick itself: a key that Compose does not know is refused."""
    wrong = composed(FILES[0])
    wrong["services"]["lanbi"]["restrat"] = "always"

    with pytest.raises(jsonschema.ValidationError, match="restrat"):
        VALID.validate(wrong)


def test_nothing_is_open_to_others() -> None:
    """Host networking and no published port: what listens is what each part's own configuration says, which is 127.0.0.1."""
    parts = services()

    assert {"mosquitto", "influxd", "lanbi", "grafana"} == set(parts)
    assert {"host"} == {body["network_mode"] for body in parts.values()}
    assert [] == [name for name, body in parts.items() if "ports" in body or body.get("privileged")]
    assert "127.0.0.1:8086" == parts["influxd"]["environment"]["INFLUXD_HTTP_BIND_ADDRESS"]
    assert "http_addr = 127.0.0.1" in (ROOT / "deploy" / "grafana" / "grafana.ini").read_text()
    listeners = re.findall(r"^listener .*$", (ROOT / "deploy" / "mosquitto" / "mosquitto.conf").read_text(), re.MULTILINE)
    assert ["listener 1883 127.0.0.1"] == listeners


@pytest.mark.parametrize("name", ["mosquitto", "influxd", "lanbi"])
def test_a_service_holds_no_rights(name: str) -> None:
    """No capability, no gain of rights, a read-only root, nobody's user 0, an end to its logs, and a check of health."""
    body = services()[name]

    assert (["ALL"], ["no-new-privileges:true"], True) == (body["cap_drop"], body["security_opt"], body["read_only"])
    assert "1884:1884" == body["user"]
    assert {"max-size", "max-file"} == set(body["logging"]["options"])
    assert body["healthcheck"]["test"][0] == "CMD"


def test_images_are_pinned_and_no_secret_is_written() -> None:
    """Each image has a version; passwords and tokens come from outside, and without them nothing starts."""
    images = {name: body["image"] for name, body in services().items()}
    words = {key: str(value) for body in services().values() for key, value in (body.get("environment") or {}).items()}
    secret = {key: value for key, value in words.items() if re.search(r"TOKEN|SECRET|PASSWORD", key)}

    assert "influxdb:2.9.1" == images["influxd"]
    assert [] == [image for image in images.values() if ":" not in image or image.endswith(":latest")]
    assert {"LANBI_GRAFANA_TOKEN", "LANBI_GRAFANA_WEBHOOK_SECRET"} == set(secret)
    assert all(re.fullmatch(r"\$\{[A-Z_]+:\?.+\}", value) for value in secret.values())


def test_the_image_installs_locked_requirements_only(tmp_path: Path) -> None:
    """Hashes are required, nothing is resolved, the build never runs as the service's user, and the settings are where init writes them."""
    text = (ROOT / "deploy" / "compose" / "Dockerfile").read_text()
    installs = [line for line in text.splitlines() if "pip install" in line]

    assert all("--no-deps" in line and ("--require-hashes" in line or "--no-index" in line) for line in installs)
    assert "USER lanbi" in text.splitlines()
    assert text.index("USER lanbi") > text.index("machine_code")
    assert "LANBI_CONFIG=/etc/lanbi/lanbi.toml" in text
    assert "mqtt://127.0.0.1:1883" == load(None, {"LANBI_DATA": str(tmp_path)}).broker.url
