"""Housekeeping of the lake."""

from zhike.org.jobs import job
from zhike.record.events import operations


@job("events.sweep", every="17 * * * *")
def sweep(_due: int) -> None:
    """Remove the lake's orphans once an hour; running twice does no harm."""
    operations.sweep()
