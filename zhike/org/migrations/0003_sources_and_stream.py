"""Permissions for data sources and the event stream, given to the built-in roles that start with them."""

import django.contrib.postgres.fields
from django.db import migrations, models

GIVEN = {"admin": ["manage_sources", "see_stream"], "marketer": ["see_stream"]}
CHOICES = [
    ("see_customers", "See customers"),
    ("edit_customers", "Edit customers and contacts"),
    ("assign_customers", "Hand customers to a colleague"),
    ("log_interactions", "Log interactions"),
    ("work_touches", "Work the Today queue"),
    ("see_plan", "Read the plan"),
    ("edit_plan", "Draft the plan"),
    ("publish_plan", "Publish the plan"),
    ("run_imports", "Import files"),
    ("export", "Export lists"),
    ("run_turn", "Run a turn of the loop"),
    ("manage_staff", "Manage staff, teams and roles"),
    ("manage_company", "Change the company's settings"),
    ("read_audit", "Read the audit log"),
    ("manage_sources", "Manage data sources and write keys"),
    ("see_stream", "See the event stream, refused events and features"),
]


def give(apps, schema_editor):
    for role in apps.get_model("org", "Role").objects.filter(built_in=True, key__in=GIVEN):
        role.permissions += [one for one in GIVEN[role.key] if one not in role.permissions]
        role.save(update_fields=["permissions"])


def take_back(apps, schema_editor):
    new = {one for many in GIVEN.values() for one in many}
    for role in apps.get_model("org", "Role").objects.all():
        role.permissions = [one for one in role.permissions if one not in new]
        role.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [("org", "0002_audit_is_append_only")]
    operations = [
        migrations.AlterField(
            model_name="role",
            name="permissions",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(choices=CHOICES, max_length=40), default=list, size=None
            ),
        ),
        migrations.RunPython(give, take_back),
    ]
