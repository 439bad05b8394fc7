"""The console: pages for people over the same services that the API's views call."""
