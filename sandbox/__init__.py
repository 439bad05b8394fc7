"""A Responses endpoint for one's own machine."""
