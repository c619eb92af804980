"""The portal under fire: real processes, faults at named points and at random moments, and an oracle that counts."""
