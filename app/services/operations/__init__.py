"""What an operator sees: the whole service at a glance."""
