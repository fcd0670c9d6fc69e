"""What is done with the stream of events: drained into the lake, attached to customers, erased."""

from zhike.record.tracking.operations.attaching import Attached, attach, recognise
from zhike.record.tracking.operations.draining import Drained, drain
from zhike.record.tracking.operations.erasing import erase_person, finish_erasures, retain

__all__ = ["Attached", "Drained", "attach", "drain", "erase_person", "finish_erasures", "recognise", "retain"]
