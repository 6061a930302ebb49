"""What is done with bills: runs that make them, documents that are issued, quotes."""
