"""A real PostgreSQL and a real Redis out of wheels, for machines that have none."""
