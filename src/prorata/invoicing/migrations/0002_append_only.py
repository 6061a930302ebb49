from django.db import migrations

from prorata.database.append_only import AppendOnly, Kept


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0001_initial")]
    operations = [
        *map(AppendOnly, ("invoicing_document", "invoicing_line", "invoicing_posting", "invoicing_lapse")),
        Kept("invoicing_billrun"),
    ]
