"""Bill runs, documents and their numbers, credits, and the check of all of them."""
