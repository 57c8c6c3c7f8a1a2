"""The wire's shapes (marshmallow): no database, no logic."""
