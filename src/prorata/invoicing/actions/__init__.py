"""What is done with bills: runs that make them, documents that are issued, the check of all that was issued."""
