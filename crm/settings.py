"""The settings from the environment (CLIENTELA_…), all validated before anything else starts.

A plain dataclass with small parsers, because every command imports this module before it can answer `--help`."""

import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, TypeVar, cast
from urllib.parse import parse_qsl, urlsplit

PREFIX: Final = "CLIENTELA_"
DEFAULT_DATABASE_URL: Final = "sqlite:///./.clientela/clientela.db"
MIN_SECRET_LENGTH: Final = 16

Value = TypeVar("Value")


class SettingError(Exception):
    """A setting is invalid: one sentence with its name, its value (never a password) and the expected value."""


@dataclass(frozen=True)
class Settings:
    """All settings, validated. `read_settings()` creates them; `dataclasses.replace` changes one."""

    database_url: str = field(repr=False)
    configured_secret: bytes | None = field(repr=False)
    host: str
    port: int
    allowed_origins: tuple[str, ...]
    """Origins as a browser sends them; ("*",) allows all origins."""
    graphiql: bool
    introspection: Literal["signed-in", "off"]
    trusted_documents: Path | None
    engine: Literal["breadth-first", "reference"]
    log_format: Literal["text", "json"]
    files_dir: Path
    public_url: str | None
    """The public address without a trailing slash."""
    rate_limit: int | None
    """Cost points per second and caller; None means no limit."""
    max_upload: int
    """Maximum size of an upload in bytes."""
    webhook_private: bool
    runs_jobs: bool
    """Whether server processes also run jobs."""

    @property
    def uses_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite:")

    @property
    def database_file(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        return Path(self.database_url.removeprefix("sqlite:///")) if self.uses_sqlite else None

    @property
    def database_label(self) -> str:
        """The database's address without its password, for messages and logs."""
        return _without_password(self.database_url)

    @cached_property
    def secret(self) -> bytes:
        """The secret that signs links and cursors. On SQLite it is generated once and stored beside the database file.

        Raises SettingError if it is missing on PostgreSQL or cannot be stored."""
        if self.configured_secret is not None:
            return self.configured_secret
        if self.database_file is None:
            raise SettingError(
                f"{PREFIX}SECRET is not set, but PostgreSQL needs a text of at least {MIN_SECRET_LENGTH} "
                "characters that is the same for every process."
            )
        return _stored_secret(self.database_file.with_name(self.database_file.name + ".secret"))

    def require_secret(self) -> None:
        """Raises SettingError now instead of at the first signed link."""
        assert self.secret


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this environment. An empty variable counts as not set.

    Raises SettingError at the first invalid setting."""

    def setting(name: str, parse: Callable[[str], Value], default: Value) -> Value:
        value = environment.get(PREFIX + name, "").strip()
        if not value:
            return default
        try:
            return parse(value)
        except _Expected as expected:
            shown_value = "hidden" if name == "SECRET" else repr(_shortened(_without_password(value)))
            raise SettingError(f"{PREFIX}{name} is {shown_value}, but {expected} is expected.") from None

    database_url = setting("DATABASE_URL", _database_url, DEFAULT_DATABASE_URL)
    on_sqlite = database_url.startswith("sqlite:")
    beside = Path(database_url.removeprefix("sqlite:///")).parent if on_sqlite else Path(".clientela")
    return Settings(
        database_url=database_url,
        configured_secret=setting("SECRET", _secret, None),
        host=setting("HOST", str, "127.0.0.1"),
        port=setting("PORT", _number(0, 65_535), 8000),
        allowed_origins=setting("ALLOWED_ORIGINS", _origins, ()),
        graphiql=setting("GRAPHIQL", _switch, on_sqlite),
        introspection=setting("INTROSPECTION", _one_of("signed-in", "off"), "signed-in"),
        trusted_documents=setting("TRUSTED_DOCUMENTS", _readable_file, None),
        engine=setting("ENGINE", _one_of("breadth-first", "reference"), "breadth-first"),
        log_format=setting("LOG_FORMAT", _one_of("text", "json"), "text"),
        files_dir=setting("FILES_DIR", _directory, beside / "files"),
        public_url=setting("PUBLIC_URL", _public_url, None),
        rate_limit=setting("RATE_LIMIT", _rate, None),
        max_upload=setting("MAX_UPLOAD", _number(1, 10**12, "bytes"), 200_000_000),
        webhook_private=setting("WEBHOOK_PRIVATE", _switch, False),
        runs_jobs=setting("JOBS", _switch, True),
    )


class _Expected(Exception):
    """A value is invalid; the text describes the expected value in the middle of a sentence."""


def _database_url(value: str) -> str:
    scheme, colon, rest = value.partition(":")
    if colon and scheme == "sqlite":
        return _sqlite_url(value)
    if colon and scheme in ("postgresql", "postgres"):
        return _postgresql_url("postgresql:" + rest)
    raise _Expected("sqlite:///path/to/file.db or postgresql://user@host/database")


def _sqlite_url(value: str) -> str:
    path = value.removeprefix("sqlite:///")
    if path == value or not path or ":memory:" in path or "?" in path or path.endswith("/"):
        raise _Expected("a file (sqlite:///./relative.db or sqlite:////absolute.db, without options)")
    if Path(path).is_dir():
        raise _Expected("a file, not a directory,")
    return value


def _postgresql_url(value: str) -> str:
    """If the URL has no host, `?host=` gives the host or the directory of a unix socket."""
    form = "postgresql://user@host:port/database (a password in it percent-encoded) or ?host=/socket/directory"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise _Expected(form) from None
    database = parts.path.removeprefix("/")
    host = parts.hostname or dict(parse_qsl(parts.query)).get("host")
    if not host or not database or "/" in database or port == 0 or parts.fragment:
        raise _Expected(form)
    return value


def _secret(value: str) -> bytes:
    if len(value) < MIN_SECRET_LENGTH:
        raise _Expected(f"a text of at least {MIN_SECRET_LENGTH} characters that nobody can guess")
    return value.encode()


def _origins(value: str) -> tuple[str, ...]:
    origins = tuple(origin.strip().rstrip("/").lower() for origin in value.split(",") if origin.strip())
    if origins == ("*",):
        return origins
    for origin in origins:
        if not re.fullmatch(r"https?://(\[[0-9a-f:]+\]|[\w.-]+)(:\d{1,5})?", origin):
            raise _Expected("a list of origins between commas (https://app.example, http://localhost:3000) or * alone")
    return origins


def _public_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_valid = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
    except ValueError:
        is_valid = False
    if not is_valid or parts.username is not None:
        raise _Expected(
            "the address at which clients reach this server (https://crm.example or https://example.com/crm)"
        )
    return value.rstrip("/")


def _rate(value: str) -> int | None:
    if value.lower() == "off":
        return None
    try:
        return _number(1, 10**9)(value)
    except _Expected:
        raise _Expected("a whole number of cost points per second, at least 1, or off") from None


def _switch(value: str) -> bool:
    return _one_of("on", "off")(value) == "on"


def _readable_file(value: str) -> Path:
    path = Path(value)
    if not path.is_file() or not os.access(path, os.R_OK):
        raise _Expected("the path of a readable JSON file")
    return path


def _directory(value: str) -> Path:
    path = Path(value)
    if path.exists() and not path.is_dir():
        raise _Expected("a directory, or a path where one can be created,")
    return path


Choice = TypeVar("Choice", bound=str)


def _one_of(*choices: Choice) -> Callable[[str], Choice]:
    def parse(value: str) -> Choice:
        if value.lower() not in choices:
            raise _Expected(_join_with_or(choices))
        return cast(Choice, value.lower())

    return parse


def _number(lowest: int, highest: int, unit: str = "") -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,15}", value) or not lowest <= int(value) <= highest:
            raise _Expected(f"a whole number {f'of {unit} ' if unit else ''}from {lowest} to {highest}")
        return int(value)

    return parse


def _join_with_or(choices: Iterable[str]) -> str:
    return " or ".join(choices)


def _shortened(value: str) -> str:
    return value if len(value) <= 100 else value[:99] + "…"


def _without_password(value: str) -> str:
    """The URL without passwords, neither before the host nor in the options."""
    value = re.sub(r"(?i)([a-z]*password)=[^&\s]*", r"\1=…", value)
    return re.sub(r"(?s):(?!//).*@", ":…@", value)


def _stored_secret(path: Path) -> bytes:
    """The secret in this file. If several processes start at once, all use the secret that was linked first."""
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _link_secret(path)
        secret = path.read_bytes()
    except OSError as error:
        raise SettingError(
            f"{PREFIX}SECRET is not set, and no secret can be stored in {str(path)!r} ({error.strerror})."
        ) from None
    if len(secret) != 32:
        raise SettingError(f"{PREFIX}SECRET is not set, and {str(path)!r} does not contain the expected 32 bytes.")
    return secret


def _link_secret(path: Path) -> None:
    """Creates the file by a hard link, so that it appears with its whole content or not at all and never replaces
    another."""
    temporary_path = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary_path, path)
    except FileExistsError:
        pass
    finally:
        temporary_path.unlink()
