from django.db import migrations

from prorata.database.append_only import AppendOnly, Kept


class Migration(migrations.Migration):
    dependencies = [("vendors", "0001_initial")]
    operations = [AppendOnly("vendors_policyversion"), Kept("vendors_vendor"), Kept("vendors_series")]
