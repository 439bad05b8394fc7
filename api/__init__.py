"""How a job is asked for: the Flask application."""
