"""Where a job is kept, who goes next and how it is handed over."""
