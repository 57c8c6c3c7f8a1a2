"""From a stored recording to a transcript."""
