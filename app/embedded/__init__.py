"""A real PostgreSQL and a real Redis out of Python wheels, for machines that have neither.

Both run as child processes of the launcher, listen on Unix sockets only, keep what they have in the var dir,
and end with the launcher whatever ends it.
"""
