"""`make demo`: drives the running portal over HTTP, as a browser without scripts would, and checks what it sees."""
