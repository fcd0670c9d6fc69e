from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("engagement", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="touch",
            index=models.Index(
                condition=models.Q(("state", "open")), fields=["owner", "due_on"], name="touch_due_of_owner"
            ),
        ),
    ]
