"""PostgreSQL itself refuses to change or delete entries of the audit log, whoever asks."""

from django.db import migrations

GUARD = """
CREATE FUNCTION editor_auditentry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'An entry of the audit log is never changed and never deleted.' USING ERRCODE = 'raise_exception';
END $$;
CREATE TRIGGER editor_auditentry_stays BEFORE UPDATE OR DELETE ON editor_auditentry
  FOR EACH ROW EXECUTE FUNCTION editor_auditentry_stays();
"""
OPEN = """
DROP TRIGGER IF EXISTS editor_auditentry_stays ON editor_auditentry;
DROP FUNCTION IF EXISTS editor_auditentry_stays();
"""


def guard(apps, editor):
    if editor.connection.vendor == "postgresql":
        editor.execute(GUARD)


def take_guard_away(apps, editor):
    if editor.connection.vendor == "postgresql":
        editor.execute(OPEN)


class Migration(migrations.Migration):
    dependencies = [("editor", "0006_moderation")]

    operations = [migrations.RunPython(guard, take_guard_away)]
