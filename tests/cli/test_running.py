"""The whole thing run as a person runs it: a workspace made, filled, served, and stopped in peace."""

import json
import re
import signal

import httpx
import pytest
from click.testing import CliRunner

from cli import main, schema_export
from cli.errors import CommandError
from tests.cli.conftest import lines_until, refusal, stopped
from tests.support.databases import finished, require

PASSWORD = "correct horse battery"
CREATE = ["workspace", "create", "--name", "Acme", "--email", "ada@acme.example", "--password-stdin"]


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated(request, environment, databases):
    """The environment names a new database at the newest version."""
    require(request.param, databases)
    environment["CLIENTELA_DATABASE_URL"] = url = finished(databases.fresh(request.param))
    environment["CLIENTELA_SECRET"] = "not-a-real-secret"
    yield
    finished(databases.drop(url))


def asked(address: str, token: str, query: str) -> dict:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    answer = httpx.post(address, json={"query": query}, headers=headers, trust_env=False, timeout=30).json()
    assert "errors" not in answer, answer
    return answer["data"]


def address_in(line: str) -> str:
    found = re.search(r"http://\S+", line)
    assert found
    return found[0]


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize(("migrated", "by"), [("sqlite", "clientela"), ("postgresql", "inside")], indirect=["migrated"])
def test_a_workspace_is_made_filled_and_served(request, by, start):
    clientela = request.getfixturevalue(by)
    made = json.loads(clientela(*CREATE, "--json", stdin=PASSWORD + "\n").stdout)
    assert set(made) == {"workspace", "agent", "token"}
    filled = clientela("seed", "--workspace", made["workspace"], "--customers", "30")
    assert filled.stdout == f"30 customers were added to {made['workspace']}.\n"
    assert "customers: 30 of 30" in filled.stderr

    server = start("serve", "--port", "0")
    address = address_in(lines_until(server, "Clientela answers at")[-1])
    assert asked(address, made["token"], "{ customers(first: 1) { totalCount } }") == {"customers": {"totalCount": 30}}
    assert stopped(server) == 0


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize("migrated", ["sqlite"], indirect=True)
def test_several_processes_serve_one_port(inside, start):
    token = json.loads(inside(*CREATE, "--json", stdin=PASSWORD).stdout)["token"]
    server = start("serve", "--port", "0", "--workers", "2", "--no-jobs")
    address = address_in(lines_until(server, "Clientela answers at")[-1])
    for _ in range(10):
        assert asked(address, token, "{ viewer { workspace { name } } }") == {"viewer": {"workspace": {"name": "Acme"}}}
    assert stopped(server) == 0


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize(
    ("migrated", "number"),
    [("sqlite", signal.SIGTERM), ("sqlite", signal.SIGINT), ("postgresql", signal.SIGTERM)],
    indirect=["migrated"],
)
def test_a_worker_stops_in_peace(start, number):
    worker = start("worker")
    lines_until(worker, "Clientela runs the jobs of")
    assert stopped(worker, number) == 0


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize("migrated", ["sqlite"], indirect=True)
def test_without_json_a_new_workspace_is_shown_to_people(inside):
    lines = inside(*CREATE, stdin=PASSWORD).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["workspace", "agent", "token"]


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize("migrated", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "password"),
    [
        pytest.param([*CREATE[:-2], "not an address", "--password-stdin"], PASSWORD, id="no address"),
        pytest.param(CREATE, "", id="an empty password"),
        pytest.param(["seed", "--workspace", "nonsense", "--customers", "1"], "", id="no workspace's id"),
        pytest.param(["seed", "--workspace", "wsp_" + "0" * 32, "--customers", "1"], "", id="no such workspace"),
    ],
)
def test_what_a_rule_refuses_is_said_in_a_sentence(inside, arguments, password):
    assert refusal(inside(*arguments, stdin=password))


def test_the_demo_shows_it_all_and_keeps_it(start, tmp_path):
    totals, passwords = [], []
    for _ in range(2):
        demo = start("demo", "--customers", "40", "--port", "0")
        lines = lines_until(demo, "The next start keeps the data")
        facts = {line.split()[0]: line.split()[-1] for line in lines if line.startswith("  ") and line.split()}
        answer = asked(facts["GraphiQL"], facts["Token"], "{ customers(first: 1) { totalCount } }")
        totals.append(answer["customers"]["totalCount"])
        passwords.append(facts["Sign"])
        assert stopped(demo, signal.SIGINT) == 0
    assert totals == [40, 40]
    assert passwords[0] == passwords[1]
    kept = {path.name for path in (tmp_path / ".clientela").iterdir() if path.is_file()}
    assert {"clientela.db", "clientela.db.secret", "clientela.db.demo.json"} <= kept
    assert not [name for name in kept if "making" in name]


def test_the_schema_is_printed_and_compared(inside, tmp_path, monkeypatch):
    assert refusal(inside("schema", "--check")).startswith("schema.graphql is missing or empty;")
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(main, ["schema"])
    assert "type Query" in shown.output
    (tmp_path / "schema.graphql").write_text(shown.output)
    assert CliRunner().invoke(main, ["schema", "--check"]).exit_code == 0
    (tmp_path / "schema.graphql").write_text(shown.output.replace("type Query", "type Queries", 1))
    line = shown.output[: shown.output.index("type Query")].count("\n") + 1
    with pytest.raises(CommandError, match=f"differs from the code at line {line};"):
        schema_export.check_schema()
