"""Reading a post: which service, what trouble, first-hand or not, and where."""
