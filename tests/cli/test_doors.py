"""The doors: help that loads nothing heavy, exit codes, refusals of one sentence."""

import socket
import sqlite3
import subprocess
import sys
from importlib import metadata

import pytest

from cli import main
from crm.settings import SettingError
from tests.cli.conftest import refusal

COMMANDS = [[], *([name] for name in main.commands), ["workspace", "create"]]
HEAVY = {
    "sqlalchemy",
    "sqlmodel",
    "pydantic",
    "strawberry",
    "graphql",
    "uvicorn",
    "starlette",
    "alembic",
    "asyncpg",
    "rich",
}


# What a server does not need until somebody asks for it.
LATE = {"alembic", "asyncpg", "email_validator", "phonenumbers", "prometheus_client", "rich"}


def test_help_and_refused_settings_load_nothing_heavy(environment, tmp_path):
    script = f"""
import os, sys
from cli import main
for command in {COMMANDS}:
    try:
        main([*command, "--help"])
    except SystemExit as ended:
        assert ended.code == 0
os.environ["CLIENTELA_PORT"] = "x"
for command in (["serve"], ["demo"], ["worker"], ["migrate"]):
    try:
        main(command)
    except SystemExit as ended:
        assert ended.code == 1
loaded = {HEAVY} & set(sys.modules)
assert not loaded, loaded
"""
    ended = python(script, environment, tmp_path)
    assert (ended.returncode, ended.stderr.count("CLIENTELA_PORT is 'x'")) == (0, 4), ended.stderr
    assert ended.stdout.count("Usage: ") == len(COMMANDS)


@pytest.mark.long
def test_a_server_on_sqlite_starts_without_what_it_may_never_need(environment, tmp_path):
    script = f"""
import sys
from cli import server
from crm import settings
from graph import app
app.create_application(settings.read_settings())
loaded = {LATE} & set(sys.modules)
assert not loaded, loaded
"""
    ended = python(script, environment, tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")


def python(script, environment, directory):
    command = [sys.executable, "-c", script]
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, check=False, text=True)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["frobnicate"], id="an unknown command"),
        pytest.param(["serve", "--port", "65536"], id="a port that does not exist"),
        pytest.param(["serve", "--workers", "0"], id="no workers"),
        pytest.param(["seed", "--customers", "5"], id="no workspace"),
        pytest.param(["seed", "--workspace", "w", "--customers", "-1"], id="fewer than none"),
        pytest.param(["workspace", "create", "--name", "Acme"], id="no address"),
        pytest.param(["workspace", "create", "--name", "Acme", "--email", "a@b.example"], id="no password"),
    ],
)
def test_wrong_usage_ends_with_2(inside, arguments):
    ended = inside(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Usage: " in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(not list(metadata.Distribution.discover(name="clientela")), reason="run from bare sources")
def test_the_version_is_told(clientela):
    assert clientela("--version").stdout.startswith("clientela ")


@pytest.mark.parametrize("command", [["serve"], ["worker"], ["migrate"], ["demo"]])
def test_a_wrong_setting_is_refused(inside, environment, command):
    environment["CLIENTELA_ENGINE"] = "fast"
    expected = "CLIENTELA_ENGINE is 'fast', but breadth-first or reference is expected."
    assert refusal(inside(*command)) == expected


@pytest.mark.parametrize("command", [["serve"], ["worker"], ["migrate"]])
def test_a_database_that_does_not_answer_is_refused_without_its_password(inside, environment, command):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    environment["CLIENTELA_DATABASE_URL"] = f"postgresql://sales:hunter2@127.0.0.1:{port}/crm"
    assert refusal(inside(*command)) == (
        f"The database postgresql://sales:…@127.0.0.1:{port}/crm cannot be reached (Connection refused)."
    )


def test_a_file_that_is_no_database_is_refused(inside, environment, tmp_path):
    (tmp_path / "notes.txt").write_text("Not a database, and longer than the header of one: " + "x" * 100)
    environment["CLIENTELA_DATABASE_URL"] = "sqlite:///notes.txt"
    assert refusal(inside("serve")) == ("The database sqlite:///notes.txt cannot be reached (file is not a database).")


def test_a_refusal_ends_the_process_with_its_code(clientela, environment):
    wrong = clientela("frobnicate")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("Usage: clientela ")
    environment["CLIENTELA_ENGINE"] = "fast"
    assert refusal(clientela("worker")).startswith("CLIENTELA_ENGINE is 'fast'")


def test_serve_refuses_a_database_without_tables_and_makes_no_file(clientela, tmp_path):
    assert refusal(clientela("serve")) == (
        "The database sqlite:///./.clientela/clientela.db has no tables yet; run `clientela migrate` first."
    )
    assert not list(tmp_path.iterdir())


def test_migrate_makes_the_database_and_says_when_there_was_nothing_to_do(clientela, inside):
    assert (
        clientela("migrate").stdout
        == "The database sqlite:///./.clientela/clientela.db is now at the current version.\n"
    )
    assert "was already at the current version" in inside("migrate").stdout


def test_a_database_of_a_newer_version_is_refused_and_kept(inside, tmp_path):
    inside("migrate")
    with sqlite3.connect(tmp_path / ".clientela" / "clientela.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from the future'")
    connection.close()
    assert "was migrated by a newer version of Clientela" in refusal(inside("serve"))
    assert "was migrated by a newer version of Clientela" in refusal(inside("migrate"))


def test_a_port_in_use_is_refused(inside):
    inside("migrate")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(inside("serve", "--port", str(port)))
    assert said == f"Cannot listen on 127.0.0.1:{port} (Address already in use)."


def test_postgresql_wants_a_secret(inside, environment, databases):
    from tests.support.databases import finished, require

    require("postgresql", databases)
    environment["CLIENTELA_DATABASE_URL"] = finished(databases.fresh("postgresql"))
    assert refusal(inside("serve")).startswith("CLIENTELA_SECRET is not set, but PostgreSQL")


def test_the_demo_is_for_sqlite(clientela, environment):
    environment["CLIENTELA_DATABASE_URL"] = "postgresql://sales@db.example/crm"
    assert refusal(clientela("demo")).startswith("The demo runs on SQLite only;")


def test_benchmarks_get_their_own_options(monkeypatch):
    from cli import benchmarks

    seen = []
    monkeypatch.setattr(benchmarks, "run_benchmarks", lambda arguments: seen.append(arguments))
    main(["bench", "reads", "--rows", "5", "--help"], standalone_mode=False)
    assert seen == [("reads", "--rows", "5", "--help")]


def test_a_refused_setting_is_a_sentence_wherever_it_is_found(monkeypatch, capsys):
    from cli import server

    def refuse(*arguments, **named):
        raise SettingError("CLIENTELA_SECRET is wrong.")

    monkeypatch.setattr(server, "serve", refuse)
    with pytest.raises(SystemExit, match="1"):
        main(["serve"])
    assert capsys.readouterr().err == "clientela: CLIENTELA_SECRET is wrong.\n"
