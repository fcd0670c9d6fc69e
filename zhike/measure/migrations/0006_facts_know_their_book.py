from django.db import migrations, models

# An INSERT of facts takes the owner from the customer; a customer handed over takes its facts along.
ON = """
CREATE FUNCTION facts_find_their_book() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.book_id := (SELECT owner_id FROM customers_customer WHERE id = NEW.customer_id);
  RETURN NEW;
END $$;
CREATE FUNCTION facts_follow_their_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE measure_customerfacts AS f SET book_id = now.owner_id
  FROM added AS now JOIN removed AS before ON before.id = now.id
  WHERE f.customer_id = now.id AND now.owner_id IS DISTINCT FROM before.owner_id;
  RETURN NULL;
END $$;
CREATE TRIGGER find_book BEFORE INSERT ON measure_customerfacts
  FOR EACH ROW EXECUTE FUNCTION facts_find_their_book();
CREATE TRIGGER change_book AFTER UPDATE ON customers_customer REFERENCING OLD TABLE AS removed NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION facts_follow_their_customer();
UPDATE measure_customerfacts AS f SET book_id = c.owner_id FROM customers_customer AS c WHERE c.id = f.customer_id;
"""
OFF = """
DROP TRIGGER change_book ON customers_customer;
DROP TRIGGER find_book ON measure_customerfacts;
DROP FUNCTION facts_follow_their_customer, facts_find_their_book;
"""


class Migration(migrations.Migration):
    """One colleague's customers are found, counted and ordered by an index of the facts alone."""

    dependencies = [("customers", "0001_initial"), ("measure", "0005_facts_of_models")]

    operations = [
        migrations.AddField("customerfacts", "book_id", models.BigIntegerField(editable=False, null=True)),
        migrations.RunSQL(ON, OFF),
        migrations.AddIndex(
            "customerfacts",
            models.Index(
                fields=["book_id", "tier", "stage"],
                include=[
                    "customer",
                    "health",
                    "health_band",
                    "health_change_30d",
                    "mrr",
                    "arr",
                    "revenue",
                    "revenue_12m",
                    "contract_end",
                    "last_touch",
                    "next_touch",
                ],
                name="facts_of_book",
            ),
        ),
    ]
