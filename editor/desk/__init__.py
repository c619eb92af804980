"""Where moderators decide, and what follows from a decision."""
