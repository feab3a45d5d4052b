"""Refusals: what a person can mend is one sentence on standard error and exit code 1, never a traceback."""

import sys
from typing import IO, Any

import click

from crm.settings import SettingRefused


class Refused(click.ClickException):
    """The command cannot do its work, for a reason that its user can mend."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"clientela: {self.format_message()}", err=True, file=file)


class Doors(click.Group):
    """A group whose commands may raise the refusals of the floors below."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if isinstance(error, SettingRefused) or _is(error, "crm.errors", "ExpectedError"):
                raise Refused(str(error)) from error
            if _is(error, "db.errors", "Unavailable"):
                raise Refused("The database went away; what was committed is kept.") from error
            raise


def _is(error: Exception, module: str, kind: str) -> bool:
    """Asked without importing the module: where nothing else imported it, nothing raised its errors."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(error, getattr(loaded, kind))
