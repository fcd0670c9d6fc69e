"""Storms: the whole system under load while its processes are killed, its disk fills up and its clock jumps.

Each storm is a function that gets a `Storm` and returns what it counted; `python -m tests.storms` runs one, and tests
run all of them in small. What counts is decided outside the system: by a journal of what was acknowledged and by sets
of message ids read from the live files, without the product's code.
"""
