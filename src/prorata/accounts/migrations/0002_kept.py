from django.db import migrations

from prorata.database.append_only import Kept


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [Kept("accounts_account"), Kept("accounts_member")]
