"""Background work: requests go in, results come out; the window's thread never computes.

:mod:`~studio.engine.engine` is the facade that the window talks to, :mod:`~studio.engine.requests` and
:mod:`~studio.engine.results` are what crosses between the threads.
"""
