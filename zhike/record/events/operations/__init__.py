"""Making files of the lake live, bringing them together, and taking out what must not be kept."""

from zhike.record.events.operations.compacting import compact
from zhike.record.events.operations.sweeping import sweep
from zhike.record.events.operations.usage import STAGED, forget_files, staging_file, write_usage

__all__ = ["STAGED", "compact", "forget_files", "staging_file", "sweep", "write_usage"]
