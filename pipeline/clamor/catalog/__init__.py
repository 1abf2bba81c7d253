"""The services, phrases, symptoms and regions that clamor knows: data files and their typed loader."""
