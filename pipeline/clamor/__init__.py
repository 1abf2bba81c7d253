"""clamor."""
