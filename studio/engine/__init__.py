"""Background work: requests go in, answers come out; the window's thread never computes.

:mod:`~studio.engine.engine` is the facade that the window talks to. :mod:`~studio.engine.work` has a module for each
kind of work, with what crosses between the threads.
"""
