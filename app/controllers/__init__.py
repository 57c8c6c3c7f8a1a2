"""One request each: load the schema, make one service call, dump the answer."""
