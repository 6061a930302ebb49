"""What was agreed with an account, and all that happened since."""
