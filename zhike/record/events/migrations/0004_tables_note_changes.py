from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION note_added_customers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('INSERT INTO events_changedcustomer (customer_id) SELECT DISTINCT %I FROM added WHERE %s',
                 TG_ARGV[0], TG_ARGV[1]);
  RETURN NULL;
END $$;
CREATE FUNCTION note_removed_customers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('INSERT INTO events_changedcustomer (customer_id) SELECT DISTINCT %I FROM removed WHERE %s',
                 TG_ARGV[0], TG_ARGV[1]);
  RETURN NULL;
END $$;
CREATE FUNCTION note_altered_customers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('INSERT INTO events_changedcustomer (customer_id) '
                 'SELECT %1$I FROM added WHERE %2$s UNION SELECT %1$I FROM removed WHERE %2$s',
                 TG_ARGV[0], TG_ARGV[1]);
  RETURN NULL;
END $$;
"""
TRIGGERS = """
CREATE TRIGGER note_added AFTER INSERT ON {table} REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION note_added_customers('{column}', '{rows}');
CREATE TRIGGER note_removed AFTER DELETE ON {table} REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION note_removed_customers('{column}', '{rows}');
CREATE TRIGGER note_altered AFTER UPDATE ON {table} REFERENCING OLD TABLE AS removed NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION note_altered_customers('{column}', '{rows}');
"""
# The tables that facts are gathered from, which column names the customer, and which rows matter.
TABLES = {
    "customers_customer": ("id", "true"),
    "commerce_order": ("customer_id", "true"),
    "commerce_subscription": ("customer_id", "true"),
    "interactions_interaction": ("customer_id", "true"),
    "events_event": ("customer_id", "kind = ''survey.answered''"),
}
ON = FUNCTIONS + "".join(
    TRIGGERS.format(table=table, column=column, rows=rows) for table, (column, rows) in TABLES.items()
)
OFF = (
    "".join(
        f"DROP TRIGGER {name} ON {table};" for table in TABLES for name in ("note_added", "note_removed", "note_altered")
    )
    + "DROP FUNCTION note_added_customers, note_removed_customers, note_altered_customers;"
)


class Migration(migrations.Migration):
    """Whatever way a row of the record changes, its customer is noted: by statement, so that bulk loading stays fast."""

    dependencies = [
        ("commerce", "0001_initial"),
        ("customers", "0001_initial"),
        ("events", "0003_changes_are_a_list"),
        ("interactions", "0001_initial"),
    ]

    operations = [migrations.RunSQL(ON, OFF)]
