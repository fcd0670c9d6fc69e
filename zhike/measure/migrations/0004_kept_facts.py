from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("measure", "0003_contract_days")]

    operations = [
        migrations.CreateModel(
            name="KeptFacts",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("moment", models.DateTimeField()),
                ("made_from", models.CharField(max_length=64)),
                ("gathered", models.CharField(max_length=200)),
                ("written", models.CharField(max_length=200)),
                ("due_us", models.BigIntegerField(null=True)),
                ("passes", models.PositiveIntegerField(default=0)),
            ],
        ),
    ]
