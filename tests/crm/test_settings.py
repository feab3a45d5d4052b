"""Settings: defaults, refusals that name the variable, the secret, and no password in anything shown."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crm import settings
from crm.settings import SettingError

PASSWORD = "hunter2-hunter2"


def read(**variables: str) -> settings.Settings:
    return settings.read_settings({f"CLIENTELA_{name}": value for name, value in variables.items()})


def test_an_empty_environment_is_sqlite_on_this_machine():
    found = read()
    assert (found.database_url, found.database_file) == (settings.DEFAULT_DATABASE_URL, Path(".clientela/clientela.db"))
    assert (found.host, found.port, found.graphiql, found.engine) == ("127.0.0.1", 8000, True, "breadth-first")
    assert (found.introspection, found.log_format, found.files_dir) == ("signed-in", "text", Path(".clientela/files"))
    assert (found.rate_limit, found.max_upload, found.webhook_private) == (None, 200_000_000, False)
    assert (found.allowed_origins, found.public_url, found.trusted_documents) == ((), None, None)


def test_an_empty_variable_counts_as_absent():
    assert read(PORT="", DATABASE_URL=" ") == read()


def test_every_variable_is_read(tmp_path):
    (documents := tmp_path / "documents.json").write_text("{}")
    found = read(
        DATABASE_URL="postgresql://sales@db.example/crm",
        SECRET="s" * 16,
        HOST="0.0.0.0",
        PORT="80",
        ALLOWED_ORIGINS="https://app.example, http://localhost:3000/",
        GRAPHIQL="on",
        INTROSPECTION="off",
        TRUSTED_DOCUMENTS=str(documents),
        ENGINE="reference",
        LOG_FORMAT="json",
        FILES_DIR=str(tmp_path / "files"),
        PUBLIC_URL="https://crm.example/api/",
        RATE_LIMIT="500",
        MAX_UPLOAD="1000",
        WEBHOOK_PRIVATE="on",
    )
    assert (found.secret, found.host, found.port, found.graphiql) == (b"s" * 16, "0.0.0.0", 80, True)
    assert found.allowed_origins == ("https://app.example", "http://localhost:3000")
    assert (found.introspection, found.trusted_documents, found.engine) == ("off", documents, "reference")
    assert (found.log_format, found.files_dir, found.public_url) == (
        "json",
        tmp_path / "files",
        "https://crm.example/api",
    )
    assert (found.rate_limit, found.max_upload, found.webhook_private) == (500, 1000, True)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("sqlite:///./a/b.db", "sqlite:///./a/b.db"),
        ("sqlite:////srv/b.db", "sqlite:////srv/b.db"),
        ("postgres://u@h/d", "postgresql://u@h/d"),
        ("postgresql://u:p%40ss@h:5433/d?sslmode=require", "postgresql://u:p%40ss@h:5433/d?sslmode=require"),
        ("postgresql://u@/d?host=/var/run/postgresql", "postgresql://u@/d?host=/var/run/postgresql"),
        ("postgresql:///d?host=/var/run/postgresql", "postgresql:///d?host=/var/run/postgresql"),
        ("postgresql://u@[::1]:5432/d", "postgresql://u@[::1]:5432/d"),
    ],
)
def test_a_database_url(url, wanted):
    assert read(DATABASE_URL=url).database_url == wanted


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DATABASE_URL", "mysql://u@h/d", "sqlite:///path/to/file.db or postgresql://"),
        ("DATABASE_URL", "sqlite://", "a file"),
        ("DATABASE_URL", "sqlite:///:memory:", "a file"),
        ("DATABASE_URL", "sqlite:////", "a file"),
        ("DATABASE_URL", "postgresql://u@h", "postgresql://user@host:port/database"),
        ("DATABASE_URL", "postgresql:///d", "postgresql://user@host:port/database"),
        ("DATABASE_URL", "postgresql://u@h:port/d", "postgresql://user@host:port/database"),
        ("PORT", "http", "a whole number from 0 to 65535"),
        ("PORT", "65536", "a whole number from 0 to 65535"),
        ("PORT", "-1", "a whole number from 0 to 65535"),
        ("PORT", "٣", "a whole number from 0 to 65535"),
        ("ALLOWED_ORIGINS", "app.example", "a list of origins"),
        ("ALLOWED_ORIGINS", "https://app.example/path", "a list of origins"),
        ("ALLOWED_ORIGINS", "*,https://app.example", "a list of origins"),
        ("GRAPHIQL", "yes", "on or off"),
        ("INTROSPECTION", "on", "signed-in or off"),
        ("TRUSTED_DOCUMENTS", "/nowhere.json", "the path of a readable JSON file"),
        ("ENGINE", "fast", "breadth-first or reference"),
        ("LOG_FORMAT", "xml", "text or json"),
        ("FILES_DIR", __file__, "a directory"),
        ("PUBLIC_URL", "crm.example", "the address at which clients reach this server"),
        ("PUBLIC_URL", "https://crm.example/?x=1", "the address at which clients reach this server"),
        ("RATE_LIMIT", "0", "cost points per second, at least 1, or off"),
        ("MAX_UPLOAD", "200MB", "a whole number of bytes"),
        ("WEBHOOK_PRIVATE", "maybe", "on or off"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_was_expected(name, value, expected):
    with pytest.raises(SettingError) as refused:
        read(**{name: value})
    assert str(refused.value).startswith(f"CLIENTELA_{name} is {value!r}, but ")
    assert expected in str(refused.value)
    assert str(refused.value).endswith(" is expected.")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{PASSWORD}@h/d",
        f"postgresql://u@h/d?password={PASSWORD}&sslmode=require",
        f"postgresql://u@h/d?sslpassword={PASSWORD}",
        f"postgresql://u:a/{PASSWORD}@h/d",
        f"postgresql//u:{PASSWORD}@h/d",
        f"mysql://u:x@{PASSWORD}@h/d",
    ],
)
def test_a_password_is_never_shown(url):
    try:
        found = read(DATABASE_URL=url)
        said = repr(found) + found.database_label
    except SettingError as refused:
        said = str(refused)
    assert PASSWORD not in said


def test_a_short_secret_is_refused_unseen():
    with pytest.raises(SettingError, match=r"^CLIENTELA_SECRET is hidden, but a text of at least 16") as refused:
        read(SECRET="tiny-secret")
    assert "tiny" not in str(refused.value)


def test_a_secret_is_not_in_the_repr():
    assert "kept-private-kept" not in repr(read(SECRET="kept-private-kept"))


def test_postgresql_wants_a_secret_when_it_is_used():
    found = read(DATABASE_URL="postgresql://u@h/d")
    with pytest.raises(SettingError, match=r"^CLIENTELA_SECRET is not set, but PostgreSQL needs"):
        found.require_secret()


def test_on_sqlite_a_secret_is_made_once_and_kept_beside_the_file(tmp_path):
    url = f"sqlite:///{tmp_path}/new/crm.db"
    secret = read(DATABASE_URL=url).secret
    kept = tmp_path / "new" / "crm.db.secret"
    assert len(secret) == 32
    assert (kept.read_bytes(), stat.S_IMODE(kept.stat().st_mode)) == (secret, 0o600)
    assert read(DATABASE_URL=url).secret == secret
    assert [path.name for path in kept.parent.iterdir()] == ["crm.db.secret"]


def test_starts_at_once_get_the_same_secret(tmp_path):
    url = f"sqlite:///{tmp_path}/crm.db"
    for _ in range(20):
        with ThreadPoolExecutor(8) as starts:
            secrets = set(starts.map(lambda _: read(DATABASE_URL=url).secret, range(8)))
        assert len(secrets) == 1
        (tmp_path / "crm.db.secret").unlink()


def test_a_damaged_secret_is_refused(tmp_path):
    (tmp_path / "crm.db.secret").write_bytes(b"")
    with pytest.raises(SettingError, match="does not contain the expected 32 bytes"):
        read(DATABASE_URL=f"sqlite:///{tmp_path}/crm.db").require_secret()


def test_a_secret_that_cannot_be_kept_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match=r"no secret can be stored in '.*crm\.db\.secret' \(.+\)\.$"):
        read(DATABASE_URL=f"sqlite:///{tmp_path}/file/crm.db").require_secret()
