"""The `clientela` command line.

Each command reads the settings first, so a wrong setting is reported at once. It imports its implementation after that,
so `--help` answers without loading the server.
"""

from dataclasses import replace
from typing import Any

import click

from cli import gc_tuning
from cli.errors import CommandGroup
from crm import settings as settings_


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="clientela", message="%(prog)s %(version)s")
def main() -> None:
    """Clientela, a customer-management GraphQL server.

    Environment variables configure it (CLIENTELA_DATABASE_URL and others, see README.md). Start with `clientela demo`.
    """


@main.command()
@click.option(
    "--customers",
    type=click.IntRange(min=0),
    default=2000,
    show_default=True,
    help="Number of sample customers to create.",
)
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on.  [default: CLIENTELA_PORT or 8000]")
def demo(customers: int, port: int | None) -> None:
    """Serve a SQLite database with sample customers.

    The first start creates the database under ./.clientela/. Later starts reuse it.
    """
    settings = _settings(port=port)
    from cli import demo_server

    demo_server.run_demo(settings, customers=customers)


@main.command()
@click.option("--host", help="Address to listen on.  [default: CLIENTELA_HOST or 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on.  [default: CLIENTELA_PORT or 8000]")
@click.option(
    "--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Number of serving processes."
)
@click.option("--no-jobs", is_flag=True, help="Do not run jobs; `clientela worker` runs them.")
def serve(host: str | None, port: int | None, workers: int, no_jobs: bool) -> None:
    """Serve GraphQL over HTTP and run jobs.

    The server also offers file transfer, health checks and metrics.
    """
    settings = _settings(host=host, port=port, runs_jobs=False if no_jobs else None)
    gc_tuning.pause_collector()
    from cli import server

    server.serve(settings, workers=workers)


@main.command()
def worker() -> None:
    """Run jobs only.

    Any number of processes and machines may run workers on the same database.
    """
    settings = _settings()
    from cli import worker_process

    worker_process.run_worker(settings)


@main.command()
def migrate() -> None:
    """Create the database tables or upgrade them to the current version."""
    settings = _settings()
    from cli import databases

    databases.migrate(settings)


@main.group()
def workspace() -> None:
    """Manage workspaces. A workspace holds one company's customers and agents."""


@workspace.command()
@click.option("--name", required=True, help="Name of the workspace.")
@click.option("--email", required=True, help="E-mail address that the first administrator signs in with.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--json", "as_json", is_flag=True, help='Print {"workspace", "agent", "token"}.')
def create(name: str, email: str, password_stdin: bool, as_json: bool) -> None:
    """Create a workspace and its first administrator."""
    settings = _settings()
    from cli import workspaces

    password = workspaces.read_password(from_stdin=password_stdin)
    workspaces.create_workspace(settings, name=name, email=email, password=password, as_json=as_json)


@main.command()
@click.option("--workspace", required=True, help="Workspace id, as printed by `workspace create`.")
@click.option("--customers", type=click.IntRange(min=0), required=True, help="Number of sample customers to create.")
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Random seed. The same seed creates the same customers."
)
def seed(workspace: str, customers: int, seed: int) -> None:
    """Fill a workspace with sample customers.

    The customers are Vietnamese, Italian, Indonesian and English, with tags, notes, orders and other records.
    """
    settings = _settings()
    from cli import workspaces

    workspaces.seed_workspace(settings, workspace=workspace, customers=customers, seed=seed)


@main.command()
@click.option("--check", is_flag=True, help="Fail if ./schema.graphql differs from the code.")
def schema(check: bool) -> None:
    """Print the GraphQL schema."""
    from cli import schema_export

    if check:
        schema_export.check_schema()
    else:
        schema_export.print_schema()


@main.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Run the benchmarks and print a table of ratios.

    ARGUMENTS are passed to bench/; `clientela bench -- --help` lists them.
    """
    from cli import benchmarks

    benchmarks.run_benchmarks(arguments)


def _settings(**changes: Any) -> settings_.Settings:
    """Read the environment's settings and apply the command line's options to them."""
    return replace(settings_.read_settings(), **{name: value for name, value in changes.items() if value is not None})
