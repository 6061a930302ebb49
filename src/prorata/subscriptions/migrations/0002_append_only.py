from django.db import migrations

from prorata.database.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0001_initial")]
    operations = [AppendOnly("subscriptions_event")]
