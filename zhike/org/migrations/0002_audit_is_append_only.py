"""The database itself refuses to change or remove an audit line."""

from django.db import migrations

FORBID = """
CREATE FUNCTION org_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit lines are only ever added' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON org_auditline
    FOR EACH ROW EXECUTE FUNCTION org_audit_is_append_only();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON org_auditline
    FOR EACH STATEMENT EXECUTE FUNCTION org_audit_is_append_only();
"""

ALLOW = """
DROP TRIGGER audit_is_append_only ON org_auditline;
DROP TRIGGER audit_is_not_emptied ON org_auditline;
DROP FUNCTION org_audit_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("org", "0001_initial")]
    operations = [migrations.RunSQL(FORBID, ALLOW)]
