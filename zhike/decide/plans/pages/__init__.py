"""The pages of the plan: reading it, and changing it."""

from zhike.decide.plans.pages.editing import check, discard, edit, publish, rollback
from zhike.decide.plans.pages.reading import file, plan, version
from zhike.decide.plans.pages.trying import trial, try_health

__all__ = ["check", "discard", "edit", "file", "plan", "publish", "rollback", "trial", "try_health", "version"]
