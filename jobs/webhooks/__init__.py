"""Events, their receivers, and the deliveries that are owed."""
