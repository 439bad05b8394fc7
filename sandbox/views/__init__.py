"""The doors of the sandbox."""
