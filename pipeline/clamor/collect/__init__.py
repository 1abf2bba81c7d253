"""Collectors: posts and counts from X, Reddit and archives, each with the coverage that proves them."""
