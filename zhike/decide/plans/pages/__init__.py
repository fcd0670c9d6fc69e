"""The pages of the plan: reading it, and changing it."""

from zhike.decide.plans.pages.editing import check, discard, edit, publish, rollback
from zhike.decide.plans.pages.reading import file, plan, version

__all__ = ["check", "discard", "edit", "file", "plan", "publish", "rollback", "version"]
