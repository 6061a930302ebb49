"""Who buys and who sits: organisations and their members."""
