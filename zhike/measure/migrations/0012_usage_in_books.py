"""A colleague's customers are also found by how long they have not used the product from the index of books alone."""

from django.db import migrations, models

NAME = "facts_of_book"


class Migration(migrations.Migration):
    dependencies = [("measure", "0011_books_in_order")]

    operations = [
        migrations.RemoveIndex("customerfacts", NAME),
        migrations.AddIndex(
            "customerfacts",
            models.Index(
                fields=["book_id", "tier", "stage"],
                include=[
                    "customer",
                    "health",
                    "health_band",
                    "health_change_30d",
                    "mrr",
                    "arr",
                    "revenue",
                    "revenue_12m",
                    "contract_end",
                    "last_usage",
                    "last_touch",
                    "next_touch",
                ],
                name=NAME,
            ),
        ),
    ]
