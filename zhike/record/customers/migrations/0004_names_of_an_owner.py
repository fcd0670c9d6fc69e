"""One colleague's customers are read in the order of their names; the owner's own index is the beginning of others."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("customers", "0003_of_an_owner_by_region"),
    ]

    operations = [
        migrations.AddIndex(
            "customer", models.Index(fields=["owner", "sort_key", "id"], name="customer_of_owner_by_name")
        ),
        migrations.AlterField(
            "customer",
            "owner",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to=settings.AUTH_USER_MODEL,
                verbose_name="owner",
            ),
        ),
    ]
