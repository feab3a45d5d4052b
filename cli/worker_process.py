"""The `worker` command: runs jobs until a stop signal and then stops after the current chunk."""

import asyncio
import logging.config
import signal

import click
import uvloop

from cli import databases, logs
from crm.files import storage
from crm.jobs import worker
from crm.settings import Settings


def run_worker(settings: Settings) -> None:
    """Raises CommandError if the database is not current."""
    databases.require_current(settings)
    settings.require_secret()
    logging.config.dictConfig(logs.logging_configuration(settings.log_format))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with databases.open_database(settings) as database:
        storage.attach_storage(database, storage.storage_from_settings(settings))
        click.echo(f"Clientela runs the jobs of {settings.database_label}")
        await worker.run_worker(database, stop=stop)
