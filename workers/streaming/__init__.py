"""The streaming worker: a supervisor that moves words and sound, and children that listen to many sessions each."""
