"""Live sound into a running service, its words back."""
