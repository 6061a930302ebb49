"""Who sells: legal identity, policies by version, document series."""
