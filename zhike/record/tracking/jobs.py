"""What the clock does for the stream."""

from django.utils.timezone import now

from zhike.org.jobs import job
from zhike.record.tracking.operations import finish_erasures, retain
from zhike.record.tracking.operations.replaying import forget_old


@job("tracking.forget_refused", every="20 * * * *")
def forget_refused(_due: int) -> None:
    """Remove refused events that were kept for a week."""
    forget_old(now=now())


@job("tracking.retain", every="10 17 * * *", queueing_lock="tracking.retain")
def keep_to_rules(_due: int) -> None:
    """Once a night, take out of the lake what the rules of retention keep no longer."""
    retain(now())


@job("tracking.finish_erasures", every="*/5 * * * *", queueing_lock="tracking.finish_erasures")
def finish(_due: int) -> None:
    """Remove from the disk what an erasure that was cut short has left there."""
    finish_erasures(now())
