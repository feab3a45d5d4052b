"""Logs: on standard error, as text for people or as one JSON object a line for machines."""

import logging
import time
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

import orjson

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class TextLines(logging.Formatter):
    """A line for people. The text of a second is kept, for lines come in crowds."""

    _second = 0
    _shown = ""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info or record.exc_text or record.stack_info:
            return super().format(record)
        second = int(record.created)
        if second != self._second:
            self._shown = time.strftime(self.default_time_format, self.converter(second))
            self._second = second
        return f"{self._shown},{int(record.msecs):03} {record.levelname:<7} {record.name}: {record.getMessage()}"


class Lines(logging.StreamHandler[TextIO]):
    """On standard error, which sends what it is given at the end of each line."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.stream.write(self.format(record) + "\n")
        except Exception:
            self.handleError(record)


class JsonLines(logging.Formatter):
    """Everything given as `extra=` becomes a key of its own beside time, level, logger and message."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def configuration(log_format: Literal["text", "json"]) -> dict[str, Any]:
    """For logging.config.dictConfig, in the serving process and in each of its workers."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"()": "cli.logs.TextLines"},
            "json": {"()": "cli.logs.JsonLines"},
        },
        "handlers": {"stderr": {"class": "cli.logs.Lines", "stream": "ext://sys.stderr", "formatter": log_format}},
        "root": {"level": "INFO", "handlers": ["stderr"]},
        # What uvicorn says at INFO is said by the command itself; alembic's is of no use to who runs it.
        "loggers": {name: {"level": "WARNING"} for name in ("uvicorn", "websockets", "alembic", "httpx")},
    }
