"""The calculation: plain Python on the standard library, values in, values out."""
