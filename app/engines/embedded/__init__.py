"""Speakers told apart with what the wheels carry, in steps that are each a module.

features  sound in blocks → speech probabilities and a mel spectrogram of the whole recording
encoder   windows of the spectrogram → voices, unit vectors of 256 numbers
windows   where to look: regions of speech → windows
counting  voices → a label each, and with that the number of speakers
timeline  how much each moment sounds like each speaker → turns
diarizer  all of that in order, with progress
"""
