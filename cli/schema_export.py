"""The `schema` command: prints the GraphQL schema or compares it with schema.graphql."""

from pathlib import Path

import click

from cli.errors import CommandError
from graph import schema


def print_schema() -> None:
    """Prints the schema in SDL."""
    click.echo(schema_text(), nl=False)


def check_schema(file: Path = Path("schema.graphql")) -> None:
    """Raises CommandError with the first line that differs."""
    stored = file.read_text(encoding="utf-8") if file.is_file() else ""
    current = schema_text()
    if stored != current:
        where = (
            f"differs from the code at line {_first_difference(stored, current)}" if stored else "is missing or empty"
        )
        raise CommandError(f"{file} {where}; write it with `clientela schema > {file}`.")
    click.echo(f"{file} matches the code.")


def schema_text() -> str:
    """The schema in SDL, with one newline at the end."""
    return schema.build_schema().as_str().rstrip("\n") + "\n"


def _first_difference(stored: str, current: str) -> int:
    pairs = zip(stored.splitlines(), current.splitlines(), strict=False)
    same = next((number for number, (left, right) in enumerate(pairs) if left != right), None)
    return 1 + (same if same is not None else min(stored.count("\n"), current.count("\n")))
