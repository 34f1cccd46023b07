"""Structured logs whose library loads with the first line logged, so that an import stays quick."""

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


class _LateLogger:
    """Stands for structlog's logger until a method of it is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> object:
        import structlog

        return getattr(structlog.get_logger(self._name), method)


def get_logger(name: str) -> "FilteringBoundLogger":
    """A structlog logger for a module, configured as structlog is when it logs."""
    return cast("FilteringBoundLogger", _LateLogger(name))
