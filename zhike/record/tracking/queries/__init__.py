"""Questions about what tracking clients sent."""
