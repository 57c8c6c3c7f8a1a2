"""Sound: sniffing, decoding, silence, cutting."""
