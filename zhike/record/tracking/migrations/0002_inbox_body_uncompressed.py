from django.db import migrations


class Migration(migrations.Migration):
    """A row of the inbox lives for seconds: packing it costs the database more than writing it as it is."""

    dependencies = [("tracking", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE tracking_inbox ALTER COLUMN body SET STORAGE EXTERNAL",
            "ALTER TABLE tracking_inbox ALTER COLUMN body SET STORAGE EXTENDED",
        )
    ]
