"""The parts of the window. They show :mod:`studio.state` and send requests to :mod:`studio.engine`; none touches torch."""
