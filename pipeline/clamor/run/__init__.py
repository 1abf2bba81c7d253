"""The one place where the stages are joined: collect → volumes → baseline → flags → incidents, through a lake."""
