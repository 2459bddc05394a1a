"""The reverse-proxy examples: accepted by the proxies' own checkers where these are there, and never weaker than lanbi alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.lanbi.real_broker import OPENSSL, authority, certificate

PROXY = Path(__file__).resolve().parents[2] / "deploy" / "proxy"
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
CADDY = shutil.which("caddy")


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed: apt-get install nginx-light")
@pytest.mark.skipif(OPENSSL is None, reason="openssl is not there: make services")
def test_nginx_takes_its_example(tmp_path: Path) -> None:
    """`nginx -t` accepts the file inside a minimal configuration, with a certificate of its own."""
    signed = certificate(authority(tmp_path, "ca"), "board", host="DNS:board.example.gov.cn")
    text = (PROXY / "nginx.conf").read_text()
    text = text.replace("/etc/nginx/certs/board.pem", str(signed)).replace("/etc/nginx/certs/board.key", str(signed.with_suffix(".key")))
    text = text.replace("listen 80;", "listen 127.0.0.1:18081;").replace("listen 443 ", "listen 127.0.0.1:18443 ")
    conf = tmp_path / "nginx.conf"
    own = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf.write_text(f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{ access_log off;\n{own}{text}}}\n")
    answer = subprocess.run([str(NGINX), "-t", "-p", str(tmp_path), "-c", str(conf)], capture_output=True, text=True, check=False, timeout=60)

    assert answer.returncode == 0, answer.stderr
    assert "[emerg]" not in answer.stderr and "[error]" not in answer.stderr


@pytest.mark.skipif(CADDY is None, reason="caddy is not installed: apt-get install caddy")
def test_caddy_takes_its_example() -> None:
    """`caddy validate` accepts the file."""
    answer = subprocess.run(
        [str(CADDY), "adapt", "--config", str(PROXY / "Caddyfile"), "--adapter", "caddyfile", "--validate"], capture_output=True, text=True, check=False, timeout=60
    )

    assert answer.returncode == 0, answer.stderr


def test_the_examples_pass_on_no_address_that_a_caller_wrote() -> None:
    """lanbi counts tries by X-Forwarded-For: it must be the proxy's own word, and the board stays on 127.0.0.1."""
    nginx, caddy = (PROXY / "nginx.conf").read_text(), (PROXY / "Caddyfile").read_text()

    assert re.search(r"^\s*proxy_set_header X-Forwarded-For \$remote_addr;", nginx, re.MULTILINE)
    assert "trusted_proxies" not in caddy
    assert "proxy_pass http://127.0.0.1:8080;" in nginx and "reverse_proxy 127.0.0.1:8080" in caddy
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in nginx
