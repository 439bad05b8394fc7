"""The views: each loads, calls one thing and dumps."""
