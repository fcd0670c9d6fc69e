"""A book is read in the order of worth and of health; nobody asked for a tier or a stage in the order of revenue."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("measure", "0010_worth_has_the_index")]

    operations = [
        migrations.AddIndex(
            "customerfacts", models.Index(fields=["book_id", "arr", "customer"], name="facts_of_book_by_arr")
        ),
        migrations.AddIndex(
            "customerfacts", models.Index(fields=["book_id", "health", "customer"], name="facts_of_book_by_health")
        ),
        migrations.RemoveIndex("customerfacts", "facts_by_tier"),
        migrations.RemoveIndex("customerfacts", "facts_by_stage"),
    ]
