"""``lanbi check``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lanbi.cli import main
from lanbi.plans import folder
from lanbi.settings import variable
from lanbi.settings_keys import KEYS

OTHER = folder() / "sample-county-b.toml"


def config(tmp_path: Path, text: str) -> str:
    """A settings file."""
    path = tmp_path / "lanbi.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def answer(capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    """What was said with --json."""
    found: dict[str, list[str]] = json.loads(capsys.readouterr().out)
    return found


def test_all_is_well_with_the_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In an empty folder the samples that come with lanbi are found and valid, and nothing is written."""
    monkeypatch.chdir(tmp_path)

    assert 0 == main(["check"])
    said = capsys.readouterr()
    assert "一切正常 all is well" in said.out
    assert ("", []) == (said.err, list(tmp_path.iterdir()))


def test_faults_of_registry_and_all_plans_are_told_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with file and line, the two files not hiding each other; exit code 2."""
    county, plan = tmp_path / "county.toml", tmp_path / "plan.toml"
    county.write_text('[county]\nid = "c"\nname = "n"\n[[well]]\nid = "w"\nnam = "x"\n', encoding="utf-8")
    plan.write_text("[plan]\nhorizon = 2025\nhorizn = 1\n", encoding="utf-8")
    file = config(tmp_path, f'county = "{county}"\ntargets = ["{plan}", "{tmp_path / "none.toml"}"]\n')

    assert 2 == main(["check", "--config", file])
    said = capsys.readouterr().err
    wanted = [
        f"{county}:6: unknown key 'nam'; did you mean 'name'?",
        f"{county}:4: well 'w' has no name",
        f"{plan}:3: unknown key",
        "none.toml: no such file",
        "处理 do:",
    ]
    assert [] == [words for words in wanted if words not in said]
    assert 2 == main(["check", "--config", file, "--json"])
    faults = json.loads(capsys.readouterr().out)["faults"]
    assert [4, "未知的键 'nam'；是否想写 'name'？ · unknown key 'nam'; did you mean 'name'?"] == [len(faults), faults[0]["what"]]
    assert [] == [one for one in faults if not (" · " in one["what"] and " · " in one["do"])]


def test_faults_of_the_settings_are_told_one_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Machines get a list, people lines."""
    file = config(tmp_path, 'dta = "x"\nclock = "sundial"\n')

    assert 2 == main(["check", "--config", file, "--json"])
    assert [{"where": f"{file}:{line}"} for line in (1, 2)] == [{"where": fault["where"]} for fault in answer(capsys)["faults"]]  # type: ignore[index]
    assert 2 == main(["check", "--config", str(tmp_path / "none.toml")])
    assert "no such file" in capsys.readouterr().err


def test_what_is_unwise_is_said_and_allowed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An open address, a readable secret, places without device and a county without assessment station are no faults."""
    secret, county = tmp_path / "broker", tmp_path / "county.toml"
    secret.write_text("hunter2", encoding="utf-8")
    secret.chmod(0o644)
    devices = "".join(f'[[device]]\nid = "d{n}"\nsources = ["m{n}"]\ninterval = 1\nstate = "accepted"\n' for n in range(21))
    meters = "".join(f'[[meter]]\nid = "m{n}"\nenterprise = "e"\nmedium = "water"\nrole = "main"\nunit = "m3"\n' for n in range(21))
    station = '[[air_station]]\nid = "a"\nname = "x"\nrole = "township"\n[[enterprise]]\nid = "e"\nname = "x"\n'
    county.write_text(f'[county]\nid = "c"\nname = "n"\n{station}{meters}{devices}', encoding="utf-8")
    file = config(tmp_path, f'county = "{county}"\n[http]\nlisten = "127.0.0.1:80"\n[analyse]\nhealth = "0.0.0.0:82"\n[broker]\npassword_file = "{secret}"\n')

    assert 0 == main(["check", "--config", file, "--json"])
    said = capsys.readouterr().out
    wanted = ["whoever reaches this address can read everything", "chmod 600", "no device today (a)", "the county has no air figures", "21 readings/s"]
    assert [] == [words for words in wanted if words not in said]
    assert "hunter2" not in said


def test_a_secret_that_cannot_be_read_is_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty password file, and missing tokens where the store needs them; the path is not repeated."""
    (tmp_path / "empty").touch()
    file = config(tmp_path, f'[broker]\npassword_file = "{tmp_path / "empty"}"\n[store]\nkind = "influx"\ntoken_file = "hunter2"\n')

    assert 2 == main(["check", "--config", file, "--json"])
    said = capsys.readouterr().out
    assert {"broker.password_file", "store.token_file", "store.read_token_file"} == {fault["where"] for fault in json.loads(said)["faults"]}
    assert "hunter2" not in said


def test_a_certificate_that_cannot_be_used_is_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything starts, with the key that names it; speaking to another machine in clear is said."""
    (tmp_path / "ca").write_text("no certificate", encoding="utf-8")
    file = config(tmp_path, f'[broker]\nurl = "mqtts://broker.example"\nca_file = "{tmp_path / "ca"}"\n')

    assert 2 == main(["check", "--config", file, "--json"])
    assert [f"broker.ca_file = {tmp_path / 'ca'}"] == [fault["where"] for fault in json.loads(capsys.readouterr().out)["faults"]]
    file = config(tmp_path, '[broker]\nurl = "mqtt://broker.example"\n')
    assert 0 == main(["check", "--config", file, "--json"])
    assert "travel in clear" in capsys.readouterr().out


def test_every_key_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """With its variable, default and meaning in both languages."""
    assert 0 == main(["check", "--explain"])
    said = capsys.readouterr().out
    assert [] == [words for name, key in KEYS.items() for words in (f"{name} = ", variable(name), f"{key.zh} · {key.en}") if words not in said]
    assert 0 == main(["check", "--explain", "--json"])
    assert list(KEYS) == [row["key"] for row in answer(capsys)["items"]]  # type: ignore[index]
