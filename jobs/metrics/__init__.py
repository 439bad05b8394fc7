"""What the service counts, and how it stands."""
