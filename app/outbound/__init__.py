"""The one way out: every request to the outside goes through the guarded client of this package.

A URL that a client gives us must not let them reach what only this machine can reach. So each connection, for each
redirect anew, is made to an address that was looked at first, and to that very address.
"""
