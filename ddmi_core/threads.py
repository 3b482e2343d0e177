"""How torch's threads wait for each other."""

import os

_SPINS = "2000"


def spare_the_machine() -> None:
    """Let OpenMP's threads spin only briefly before they sleep; call it before torch is imported.

    Its default is to spin for milliseconds, which on a machine with other work to do takes the very cores that the
    thread waited for needs: with one of two cores busy, a step of training takes ten times as long. On an idle machine
    the short spin costs nothing that could be measured. Whoever sets OpenMP's variables keeps their settings.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
