"""The furniture sets: from a catalogue, made by rule, and seen from all around."""
