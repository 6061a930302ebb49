"""The Django project: settings and addresses."""
