"""A Responses endpoint for one's own machine: it looks into what it is given and is no language model."""
