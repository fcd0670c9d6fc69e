from django.db import migrations, models


class Migration(migrations.Migration):
    """The probability that a customer leaves, and the models that say it."""

    dependencies = [("measure", "0007_voice_of_customers")]

    operations = [
        migrations.AddField("customerfacts", "churn_probability", models.FloatField(null=True)),
        migrations.CreateModel(
            name="ChurnModel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("made_by", models.CharField(max_length=64)),
                ("scorer", models.JSONField(null=True)),
                ("card", models.JSONField(default=dict)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("made_by", "day"), name="churn_model_once_a_day")]
            },
        ),
    ]
