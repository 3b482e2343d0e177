"""Files that leave: what can be chosen about them, and a writer for each kind."""
