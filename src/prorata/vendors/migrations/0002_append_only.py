from django.db import migrations

from prorata.database.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("vendors", "0001_initial")]
    operations = [AppendOnly("vendors_policyversion")]
