"""The parts of the window: they show :mod:`studio.state` and say what the person asks for; none touches torch."""
