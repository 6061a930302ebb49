"""Webhooks: what happened is told to the vendor's programs, signed, and again until they have it."""
