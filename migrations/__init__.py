"""The database's history: numbered, linear."""
