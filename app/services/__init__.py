"""The logic: takes a Principal and plain values, gives plain values; knows no HTTP."""
