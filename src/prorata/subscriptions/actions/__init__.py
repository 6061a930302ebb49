"""What happens to agreements: each verb in a module of its own."""
