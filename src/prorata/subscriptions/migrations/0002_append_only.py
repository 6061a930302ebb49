from django.db import migrations

from prorata.database.append_only import AppendOnly, Kept


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0001_initial")]
    operations = [
        AppendOnly("subscriptions_event"),
        Kept("subscriptions_subscription"),
    ]
