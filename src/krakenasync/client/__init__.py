"""The client: the one road a call takes, and what stands along it."""
