"""The pages of the console, a door each."""
