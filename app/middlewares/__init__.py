"""What happens around every request: errors, identity, limits, request ids."""
