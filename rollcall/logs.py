"""How log lines look and where they go: standard error, and a file of each process in the data folder."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog
from structlog.typing import Processor

from rollcall import environment

FILE_BYTES = 5_000_000
FILES_KEPT = 3

# They log addresses, and an address may hold a checksum or a one-time link.
QUIET = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "django.request": logging.ERROR,
    "django.security": logging.ERROR,
    "_granian": logging.ERROR,
    "asyncio": logging.WARNING,
}


def set_up_plain_logging() -> None:
    """For a command that says its results: on standard error, and nothing in it that stood in a variable."""
    if not structlog.is_configured():
        structlog.configure(
            processors=[
                structlog.stdlib.add_log_level,
                structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
            ],
            # Looked up anew for each line: whoever catches standard error in between gets it.
            logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        )


def set_up_logging(process: str) -> None:
    """Send every logger of this process, structlog's and the standard ones, through one form."""
    before: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr), _file(process)]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering()],
    )
    for handler in handlers:
        handler.setFormatter(formatter)
    logging.basicConfig(level=environment.LOG_LEVEL.read().upper(), handlers=handlers, force=True)
    for name, level in QUIET.items():
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(level)


def _file(process: str) -> logging.Handler:
    folder = Path(environment.DATA.read()).expanduser() / "logs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return RotatingFileHandler(folder / f"{process}.log", maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8")


def _rendering() -> list[Processor]:
    # Plain tracebacks: the coloured ones would show local variables, and with them what we promised not to log.
    if environment.LOG_FORMAT.read() == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    return [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
