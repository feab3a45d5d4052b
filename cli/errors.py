"""Errors that the user can fix: one sentence on standard error and exit code 1, without a traceback."""

import sys
from typing import IO, Any

import click

from crm.settings import SettingError


class CommandError(click.ClickException):
    """The command cannot run, for a reason that its user can fix."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"clientela: {self.format_message()}", err=True, file=file)


class CommandGroup(click.Group):
    """A group that turns the expected errors of `crm` and `db` into CommandError."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if isinstance(error, SettingError) or _is(error, "crm.errors", "ExpectedError"):
                raise CommandError(str(error)) from error
            if _is(error, "db.errors", "Unavailable"):
                raise CommandError("The connection to the database was lost; committed changes are kept.") from error
            raise


def _is(error: Exception, module: str, kind: str) -> bool:
    """Checks the class without importing its module: a module that is not loaded has raised nothing."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(error, getattr(loaded, kind))
