"""Pictures of the whole product, taken from a running portal: `make shots`."""
