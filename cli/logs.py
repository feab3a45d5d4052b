"""Logs: on standard error, as text for people or as one JSON object a line for machines."""

import logging
from datetime import UTC, datetime
from typing import Any, Final, Literal

import orjson

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


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
            "text": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"},
            "json": {"()": "cli.logs.JsonLines"},
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": log_format}
        },
        "root": {"level": "INFO", "handlers": ["stderr"]},
        # What uvicorn says at INFO is said by the command itself; alembic's is of no use to who runs it.
        "loggers": {name: {"level": "WARNING"} for name in ("uvicorn", "websockets", "alembic", "httpx")},
    }
