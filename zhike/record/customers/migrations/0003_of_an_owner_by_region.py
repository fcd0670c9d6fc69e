"""One colleague's customers of a region or an industry are found without reading the others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_contact_index_ref_email")]

    operations = [
        migrations.AddIndex(
            "customer", models.Index(fields=["owner", "region"], name="customer_of_owner_region")
        ),
        migrations.AddIndex(
            "customer", models.Index(fields=["owner", "industry"], name="customer_of_owner_industry")
        ),
    ]
