"""Charts, map and page: documents are returned, never written."""
