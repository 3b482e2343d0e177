"""A fifth kind of signals, as whoever adds one would write it: a domain, a field, a room and a preset."""
