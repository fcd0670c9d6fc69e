"""What is done with the stream of events: drained into the lake, attached to customers, erased."""

from zhike.record.tracking.operations.attaching import Attached, attach, recognise
from zhike.record.tracking.operations.draining import Drained, drain

__all__ = ["Attached", "Drained", "attach", "drain", "recognise"]
