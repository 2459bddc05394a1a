"""Settings: validated whole, nothing secret held."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from domain.errors import SettingsError
from lanbi.secret import Secret, open_to_others, read_secret
from lanbi.settings import load, variable
from lanbi.settings_keys import KEYS


def write(folder: Path, text: str) -> str:
    """A settings file."""
    path = folder / "lanbi.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file and no environment give the documented defaults, on the loopback only."""
    monkeypatch.chdir(tmp_path)

    settings = load(None, {})

    assert Path("var") == settings.data
    assert all(value.startswith("127.0.0.1:") for value in (settings.http.listen, settings.ingest.health, settings.analyse.health))


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A LANBI_ variable replaces the key of the file; lists are separated by colons."""
    path = write(tmp_path, 'data = "a"\n[store]\nurl = "http://x:1"\n')

    settings = load(path, {"LANBI_DATA": "b", "LANBI_TARGETS": "p.toml:q.toml", "LANBI_REQUIRE_SERVICES": "1", "LANBI_GRAFANA_URL": "free"})

    assert (Path("b"), "http://x:1") == (settings.data, settings.store.url)
    assert (Path("p.toml"), Path("q.toml")) == settings.targets


def test_all_faults_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    """Unknown keys name the nearest known one; wrong values say what is needed."""
    path = write(tmp_path, 'dat = "x"\n[http]\nlisten = "everywhere"\n[store]\nkind = "oracle"\nbuckt = "b"\n[broker]\nurl = "mqtt://u:hunter2@h"\n')

    with pytest.raises(SettingsError) as error:
        load(path, {"LANBI_HTTP_LISTN": "x"})

    said = str(error.value)
    expected = [f"{path}:1", "'data'", f"{path}:3", f"{path}:5", f"{path}:6", "'bucket'", f"{path}:8", "LANBI_HTTP_LISTN", "LANBI_HTTP_LISTEN"]
    assert [] == [part for part in expected if part not in said]
    assert "hunter2" not in said


def test_a_missing_or_broken_file_is_told(tmp_path: Path) -> None:
    """A named file must exist and be TOML."""
    with pytest.raises(SettingsError, match="no such file"):
        load(str(tmp_path / "none.toml"), {})
    with pytest.raises(SettingsError, match="not TOML") as error:
        load(write(tmp_path, "data = \n"), {})
    assert error.value.where.endswith(":1")


def test_settings_hold_paths_of_secrets_never_a_secret(tmp_path: Path) -> None:
    """The rendered settings do not contain what stands in a password file."""
    secret = tmp_path / "broker"
    secret.write_text("hunter2", encoding="utf-8")
    settings = load(write(tmp_path, f'[broker]\npassword_file = "{secret}"\n'), {})

    assert secret == settings.broker.password_file
    assert "hunter2" not in repr(settings)


def test_every_key_has_a_variable_of_its_own() -> None:
    """No two keys share a name in the environment."""
    assert len(KEYS) == len({variable(key) for key in KEYS})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('store = "embedded"\n', r"write a table \[store\]"),
        ('[http]\nlisten = "127.0.0.1:²"\n', "http.listen: write HOST:PORT"),
        ('[broker]\nurl = "mqtt://[::1"\n', "broker.url: write mqtt://HOST:PORT"),
        ('[broker]\nurl = "mqtt://h:port"\n', "broker.url: write mqtt://HOST:PORT"),
        ('[store]\nurl = "h:8086"\n', "store.url: write http://HOST:PORT"),
        ('[ingest]\ninstance = "3/2"\n', "ingest.instance: write i/N"),
        ('data = ""\n', "data: is empty"),
        ("targets = []\n", "targets: a list of file names"),
        ("data = " + "9" * 5_000 + "\n", "not TOML"),
    ],
)
def test_every_wrong_value_is_told_in_words(tmp_path: Path, text: str, said: str) -> None:
    """No value, however odd, passes or ends in a traceback."""
    with pytest.raises(SettingsError, match=said):
        load(write(tmp_path, text), {})


@pytest.mark.parametrize(
    "text",
    [
        '[broker]\nurl = "u:hunter2@h:1883"\n',
        "[broker]\npassword_file = 'x'\npassword = 'hunter2'\n",
        '[store]\nurl = "http://u:hunter2@h"\n',
        "token = ['hunter2']\n",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(tmp_path: Path, text: str) -> None:
    """The message about a misplaced password does not contain it."""
    with pytest.raises(SettingsError) as error:
        load(write(tmp_path, text), {"LANBI_STORE_TOKEN": "hunter2"})

    assert "hunter2" not in f"{error.value}{error.value.faults}"


def test_an_empty_password_file_means_none() -> None:
    """The environment can take the password away again."""
    assert load(None, {"LANBI_BROKER_PASSWORD_FILE": ""}).broker.password_file is None


def test_the_defaults_find_the_samples_outside_the_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file of its own an installed lanbi uses the county and plan that come with it."""
    monkeypatch.chdir(tmp_path)

    settings = load(None, {})

    assert [True, True] == [path.is_file() for path in (settings.county, *settings.targets)]
    assert Path("plans/none.toml") == load(None, {"LANBI_COUNTY": "plans/none.toml"}).county


def test_a_secret_shows_itself_only_when_asked(tmp_path: Path) -> None:
    """Text, repr, format and error of a secret hide it."""
    path = tmp_path / "token"
    path.write_text("hunter2\n", encoding="utf-8")
    secret = read_secret(path, "store.token_file")

    assert "hunter2" == secret.reveal()
    assert "hunter2" not in f"{secret} {secret!r} {secret!s} {[secret]} {secret:>20}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert "hunter2" not in repr(Secret("hunter2"))


@pytest.mark.parametrize("content", [None, " \n"])
def test_a_missing_or_empty_secret_is_told_by_its_key(tmp_path: Path, content: str | None) -> None:
    """The message names the settings key, not the path: the path may be the secret, written in the wrong place."""
    path = tmp_path / "hunter2"
    if content is not None:
        path.write_text(content, encoding="utf-8")

    with pytest.raises(SettingsError) as error:
        read_secret(path, "broker.password_file")
    assert "hunter2" not in str(error.value)
    assert "broker.password_file" == error.value.where


def test_a_secret_that_others_may_read_is_noticed(tmp_path: Path) -> None:
    """Group and others have no business with it."""
    path = tmp_path / "token"
    path.write_text("x", encoding="utf-8")
    found = []
    for mode in (0o600, 0o640):
        path.chmod(mode)
        found.append(open_to_others(path))

    assert [False, True] == found


def test_journal_and_mail_are_typed(tmp_path: Path) -> None:
    """Sizes are bytes, days a number with or without quotes, addresses a list; left out they mean: no bound, five years, nobody."""
    path = write(tmp_path, '[journal]\nquota = "500GB"\nkeep_days = 400\nanchor_mail = ["a@x.cn", "b@y.org"]\n[mail]\nurl = "smtp+starttls://m:587"\n')

    found = load(path, {"LANBI_BROKER_QUEUE_BYTES": "2GiB"})
    assert (500 * 10**9, 400, ("a@x.cn", "b@y.org"), 2**31) == (
        found.journal.quota, found.journal.keep_days, found.journal.anchor_mail, found.broker.queue_bytes,
    )  # fmt: skip
    assert ("b@x.cn", "c@x.cn") == load(path, {"LANBI_JOURNAL_ANCHOR_MAIL": "b@x.cn:c@x.cn"}).journal.anchor_mail
    plain = load(write(tmp_path, ""), {})
    assert ("stop", None, 1826, None, ()) == (
        plain.journal.on_full,
        plain.journal.quota,
        plain.journal.keep_days,
        plain.journal.archive,
        plain.journal.anchor_mail,
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('quota = "much"', "500GB"),
        ("quota = 5", "text in quotes"),
        ('quota = "0GB"', "500GB"),
        ("keep_days = 3", "from 4 to"),
        ('on_full = "ask"', "drop-oldest-forwarded"),
        ('anchor_mail = "a@x.cn"', "a list of mail addresses"),
        ('anchor_mail = ["nobody"]', "NAME@HOST"),
    ],
)
def test_wrong_values_of_the_journal_are_told(tmp_path: Path, line: str, words: str) -> None:
    """With what to write instead."""
    with pytest.raises(SettingsError, match=words):
        load(write(tmp_path, f"[journal]\n{line}\n"), {})


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("", "only with logins"),
        ('login = "on"\n', "only with TLS"),
        ('cert_file = "c"\nkey_file = "k"\n', "only with logins"),
        ('login = "on"\ncert_file = "c"\nkey_file = "k"\n', ""),
    ],
)
def test_beyond_this_machine_only_with_login_and_tls(tmp_path: Path, words: str, fault: str) -> None:
    """An address that others can reach is refused until people log in and nothing travels in clear."""
    file = tmp_path / "lanbi.toml"
    file.write_text(f'[http]\nlisten = "0.0.0.0:8443"\n{words}', encoding="utf-8")
    if fault:
        with pytest.raises(SettingsError, match=fault):
            load(str(file), {})
    else:
        assert "0.0.0.0:8443" == load(str(file), {}).http.listen
