import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Facts that models say once a night, how those models were made, and what colleagues say to them."""

    dependencies = [
        ("commerce", "0001_initial"),
        ("customers", "0001_initial"),
        ("measure", "0004_kept_facts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("factsday", "cards", models.JSONField(default=dict)),
        migrations.AddField("customerfacts", "p_alive", models.FloatField(null=True)),
        migrations.AddField("customerfacts", "expected_orders_12m", models.FloatField(null=True)),
        migrations.AddField("customerfacts", "clv", models.DecimalField(decimal_places=2, max_digits=18, null=True)),
        migrations.AddField("customerfacts", "clv_to_cac", models.FloatField(null=True)),
        migrations.AddField("customerfacts", "next_offer", models.CharField(max_length=120, null=True)),
        migrations.AddField("customerfacts", "need_orientation", models.CharField(max_length=40, null=True)),
        migrations.AddField("customerfacts", "need_reason", models.CharField(max_length=120, null=True)),
        migrations.CreateModel(
            name="PeerShare",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=8)),
                ("group", models.CharField(max_length=120)),
                ("item", models.CharField(max_length=300)),
                ("customers", models.BigIntegerField()),
                ("among", models.BigIntegerField()),
            ],
            options={"indexes": [models.Index(fields=["kind", "group"], name="peer_share_of_group")]},
        ),
        migrations.CreateModel(
            name="OfferPair",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("both", models.BigIntegerField()),
                ("owners", models.BigIntegerField()),
                ("weight", models.FloatField()),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="commerce.product"
                    ),
                ),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="commerce.product"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StatedNeed",
            fields=[
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="customers.customer",
                    ),
                ),
                ("need", models.CharField(max_length=8)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DismissedOffer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=110)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="customers.customer"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("customer", "key"), name="offer_dismissed_once")]
            },
        ),
    ]
