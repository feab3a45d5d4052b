"""The exported schema: printed, or compared with the file beside the code."""

from pathlib import Path

import click

from cli.errors import Refused
from graph import schema


def show() -> None:
    click.echo(exported(), nl=False)


def check(file: Path = Path("schema.graphql")) -> None:
    """Raises Refused, naming the first line that differs."""
    kept = file.read_text(encoding="utf-8") if file.is_file() else ""
    wanted = exported()
    if kept != wanted:
        where = f"differs from the code at line {_first_difference(kept, wanted)}" if kept else "is missing or empty"
        raise Refused(f"{file} {where}; write it with `clientela schema > {file}`.")
    click.echo(f"{file} is what the code says.")


def exported() -> str:
    return schema.build().as_str().rstrip("\n") + "\n"


def _first_difference(kept: str, wanted: str) -> int:
    pairs = zip(kept.splitlines(), wanted.splitlines(), strict=False)
    same = next((number for number, (left, right) in enumerate(pairs) if left != right), None)
    return 1 + (same if same is not None else min(kept.count("\n"), wanted.count("\n")))
