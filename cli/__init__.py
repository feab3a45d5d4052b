"""The `clientela` command: its doors.

The work behind a door is imported when the door is opened, so that `--help` answers at once; and when the settings were
read, so that a wrong one is refused at once.
"""

from dataclasses import replace
from typing import Any

import click

from cli import gc_tuning
from cli.errors import Doors
from crm import settings as settings_


@click.group(cls=Doors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="clientela", message="%(prog)s %(version)s")
def main() -> None:
    """Clientela, a customer-management GraphQL server.

    The environment sets it up (CLIENTELA_DATABASE_URL and others, see README.md). Start with `clientela demo`.
    """


@main.command()
@click.option("--customers", type=click.IntRange(min=0), default=2000, show_default=True, help="How many to make up.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Where to listen.  [default: CLIENTELA_PORT or 8000]")
def demo(customers: int, port: int | None) -> None:
    """See it all: made-up customers in a SQLite file, served.

    The file is made under ./.clientela/ at the first start and kept for the next.
    """
    settings = _settings(port=port)
    from cli import demo_server

    demo_server.run(settings, customers=customers)


@main.command()
@click.option("--host", help="Address to listen on.  [default: CLIENTELA_HOST or 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65_535), help="Where to listen.  [default: CLIENTELA_PORT or 8000]")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Serving processes.")
@click.option("--no-jobs", is_flag=True, help="Leave jobs to `clientela worker`.")
def serve(host: str | None, port: int | None, workers: int, no_jobs: bool) -> None:
    """Serve GraphQL over HTTP, and run jobs.

    Files, health and metrics are served too.
    """
    settings = _settings(host=host, port=port, jobs=False if no_jobs else None)
    gc_tuning.pause()
    from cli import server

    server.serve(settings, workers=workers)


@main.command()
def worker() -> None:
    """Run jobs and nothing else.

    As many processes and machines as wanted may, on the same database.
    """
    settings = _settings()
    from cli import worker_process

    worker_process.work(settings)


@main.command()
def migrate() -> None:
    """Make the database, or bring it to the newest version."""
    settings = _settings()
    from cli import databases

    databases.migrate(settings)


@main.group()
def workspace() -> None:
    """Make a workspace: a company's own customers and agents."""


@workspace.command()
@click.option("--name", required=True, help="The workspace's name.")
@click.option("--email", required=True, help="Its first administrator, who signs in with this address.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, where nobody sees it.")
@click.option("--json", "as_json", is_flag=True, help='Print {"workspace", "agent", "token"}.')
def create(name: str, email: str, password_stdin: bool, as_json: bool) -> None:
    """Make a workspace and its first administrator."""
    settings = _settings()
    from cli import workspaces

    password = workspaces.password(from_stdin=password_stdin)
    workspaces.create(settings, name=name, email=email, password=password, as_json=as_json)


@main.command()
@click.option("--workspace", required=True, help="The workspace's id, as `workspace create` printed it.")
@click.option("--customers", type=click.IntRange(min=0), required=True, help="How many to make up.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same number makes the same customers.")
def seed(workspace: str, customers: int, seed: int) -> None:
    """Fill a workspace with made-up customers.

    Vietnamese, Italian, Indonesian and English ones, with what belongs to them.
    """
    settings = _settings()
    from cli import workspaces

    workspaces.seed(settings, workspace=workspace, customers=customers, seed=seed)


@main.command()
@click.option("--check", is_flag=True, help="Fail when ./schema.graphql differs from the code.")
def schema(check: bool) -> None:
    """Print the GraphQL schema."""
    from cli import schema_export

    if check:
        schema_export.check()
    else:
        schema_export.show()


@main.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Run the benchmarks; print a table of ratios.

    ARGUMENTS go to bench/; `clientela bench -- --help` shows them.
    """
    from cli import benchmarks

    benchmarks.run(arguments)


def _settings(**changes: Any) -> settings_.Settings:
    """The environment's, with what the command line said instead."""
    return replace(settings_.read(), **{name: value for name, value in changes.items() if value is not None})
