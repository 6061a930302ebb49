"""The policy language: how a vendor's billing rules are written down, read, checked and told."""
