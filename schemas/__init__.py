"""What it looks like on the wire: requests, responses, jobs, errors. Reads and writes nothing itself."""
