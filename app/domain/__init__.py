"""What the service talks about: plain values and rules, standard library only."""
