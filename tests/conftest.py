"""The same people as in the features' own tests."""

from zhike.conftest import admin, hire, jun, lead, mei, roles, stranger, viewer

__all__ = ["admin", "hire", "jun", "lead", "mei", "roles", "stranger", "viewer"]
