import django.db.models
from django.conf import settings
from django.db import migrations, models

OPEN = models.Q(("state", "open"))
BESIDE = ["book_id", "due_on", "urgency", "snoozed_until", "kind"]
COUNTED = ["urgency", "kind", "minutes", "snoozed_until", "book_id"]

# A new touch takes the owner from its customer; a customer handed over takes the touches along. A touch whose own owner
# changes looks again: it may have been written while its customer was being handed over. Both are nearly always the same
# person, which the planner has to be told.
ON = """
CREATE FUNCTION touches_find_their_book() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.book_id := (SELECT owner_id FROM customers_customer WHERE id = NEW.customer_id);
  RETURN NEW;
END $$;
CREATE FUNCTION touches_follow_their_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE engagement_touch AS t SET book_id = now.owner_id
  FROM added AS now JOIN removed AS before ON before.id = now.id
  WHERE t.customer_id = now.id AND now.owner_id IS DISTINCT FROM before.owner_id;
  RETURN NULL;
END $$;
CREATE TRIGGER find_book BEFORE INSERT ON engagement_touch
  FOR EACH ROW EXECUTE FUNCTION touches_find_their_book();
CREATE TRIGGER find_book_again BEFORE UPDATE OF owner_id, customer_id ON engagement_touch
  FOR EACH ROW WHEN (NEW.owner_id IS DISTINCT FROM OLD.owner_id OR NEW.customer_id <> OLD.customer_id)
  EXECUTE FUNCTION touches_find_their_book();
CREATE TRIGGER change_book_of_touches AFTER UPDATE ON customers_customer
  REFERENCING OLD TABLE AS removed NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION touches_follow_their_customer();
CREATE STATISTICS touch_owner_and_book ON owner_id, book_id FROM engagement_touch;
UPDATE engagement_touch AS t SET book_id = c.owner_id FROM customers_customer AS c
  WHERE c.id = t.customer_id AND c.owner_id IS NOT NULL;
"""
OFF = """
DROP STATISTICS touch_owner_and_book;
DROP TRIGGER change_book_of_touches ON customers_customer;
DROP TRIGGER find_book_again ON engagement_touch;
DROP TRIGGER find_book ON engagement_touch;
DROP FUNCTION touches_follow_their_customer, touches_find_their_book;
"""


class Migration(migrations.Migration):
    """Today is counted and ordered by indexes of the touches alone."""

    dependencies = [
        ("customers", "0001_initial"),
        ("engagement", "0003_touches_made_are_found_by_owner"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    # Indexes go before the column is filled and come after it: each row is rewritten once.
    operations = [
        migrations.RemoveIndex("touch", "touch_queue"),
        migrations.RemoveIndex("touch", "touch_queue_all"),
        migrations.RemoveIndex("touch", "touch_due"),
        migrations.RemoveIndex("touch", "touch_due_of_owner"),
        migrations.AlterField(
            "touch",
            "customer",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="touches",
                to="customers.customer",
            ),
        ),
        migrations.AlterField(
            "touch",
            "owner",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField("touch", "book_id", models.BigIntegerField(editable=False, null=True)),
        migrations.RunSQL(ON, OFF),
        migrations.AddIndex(
            "touch",
            models.Index(fields=["owner", "-priority", "id"], include=BESIDE, name="touch_queue", condition=OPEN),
        ),
        migrations.AddIndex(
            "touch", models.Index(fields=["-priority", "id"], include=BESIDE, name="touch_queue_all", condition=OPEN)
        ),
        migrations.AddIndex("touch", models.Index(fields=["due_on", *COUNTED], name="touch_due", condition=OPEN)),
        migrations.AddIndex(
            "touch", models.Index(fields=["owner", "due_on", *COUNTED], name="touch_due_of_owner", condition=OPEN)
        ),
    ]
