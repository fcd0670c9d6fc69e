"""Indexes for the figures of a month: what was made, by whom, and by when it was due."""

import django.db.models
from django.db import migrations

MADE = django.db.models.Q(("state", "done"))


class Migration(migrations.Migration):
    dependencies = [("engagement", "0002_what_is_due_of_an_owner")]

    operations = [
        migrations.AddIndex(
            "touch",
            django.db.models.Index(fields=["owner", "closed_at"], name="touch_made_of_owner", condition=MADE),
        ),
        migrations.AddIndex(
            "touch",
            django.db.models.Index(fields=["owner", "due_on"], name="touch_made_by_due", condition=MADE),
        ),
        migrations.AddIndex(
            "touch",
            django.db.models.Index(fields=["closed_by", "closed_at"], name="touch_made_by", condition=MADE),
        ),
    ]
