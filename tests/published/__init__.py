"""Figures that others have published about data we can read, beside ours."""
