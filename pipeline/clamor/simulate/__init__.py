"""A synthetic world with true outages, and emulators of the X and Reddit APIs that serve it."""
