"""What the clock does for the stream."""

from django.utils.timezone import now

from zhike.org.jobs import job
from zhike.record.tracking.operations.replaying import forget_old


@job("tracking.forget_refused", every="20 * * * *")
def forget_refused(_due: int) -> None:
    """Remove refused events that were kept for a week."""
    forget_old(now=now())
