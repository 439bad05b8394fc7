"""Running batches: their files are checked, their lines submitted, and what became of these is written down."""
