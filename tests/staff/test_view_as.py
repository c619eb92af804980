"""Looking at the portal as another person: to look, and nothing else."""
