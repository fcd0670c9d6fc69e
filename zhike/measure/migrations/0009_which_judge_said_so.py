"""Of each text, which judge it was: our own models, a language model, or ours in its place."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("measure", "0008_churn_models")]

    operations = [
        migrations.AddField(
            model_name="voicetext",
            name="judged_by",
            field=models.CharField(
                choices=[
                    ("local", "Our own models"),
                    ("model", "The language model"),
                    ("instead", "Our own models, because the language model did not answer"),
                ],
                db_default="local",
                default="local",
                max_length=7,
            ),
        ),
        migrations.AddIndex(
            model_name="voicetext",
            index=models.Index(
                condition=models.Q(("judged_by", "instead")), fields=["id"], name="voice_asked_again"
            ),
        ),
    ]
