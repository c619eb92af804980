"""Whether the portal is well: quick probes of its parts, and checks that look closer and say what to do."""
