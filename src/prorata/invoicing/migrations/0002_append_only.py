from django.db import migrations

from prorata.database.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0001_initial")]
    operations = [
        AppendOnly(table) for table in ("invoicing_document", "invoicing_line", "invoicing_posting", "invoicing_lapse")
    ]
