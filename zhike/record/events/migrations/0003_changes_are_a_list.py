from django.db import migrations, models


class Migration(migrations.Migration):
    """A change noted while another one of the same customer is being taken up must not be lost, nor wait for it."""

    dependencies = [("events", "0002_changes_retention_erasure")]

    operations = [
        migrations.DeleteModel(name="ChangedCustomer"),
        migrations.CreateModel(
            name="ChangedCustomer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("customer_id", models.BigIntegerField()),
            ],
        ),
    ]
