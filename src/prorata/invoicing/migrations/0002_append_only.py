from django.db import migrations

from prorata.database.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("invoicing", "0001_initial")]
    operations = [AppendOnly("invoicing_document"), AppendOnly("invoicing_line"), AppendOnly("invoicing_lapse")]
