"""A list by worth is read by ARR, by which it is filtered too; MRR stands in the same order."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("measure", "0009_which_judge_said_so")]

    operations = [
        migrations.AddIndex("customerfacts", models.Index(fields=["arr", "customer"], name="facts_by_arr")),
        migrations.RemoveIndex("customerfacts", "facts_by_mrr"),
    ]
