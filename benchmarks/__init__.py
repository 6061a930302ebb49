"""How fast the engine is, as ratios taken in one run."""
