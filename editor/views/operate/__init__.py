"""What the person who runs the portal keeps open: how it is, the flux server, storage."""
