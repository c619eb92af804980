"""What people outside see through a link, and no more."""
