"""What is done for each kind of request: a module for each kind of work, with requests, answers and handlers.

Runs in worker threads; knows pipelines, but no particular domain. A new kind is a module here, named below.
"""

from studio.engine.work import (
    clips,
    exporting,
    fitting,
    item_pictures,
    latents,
    machine,
    radiance,
    sampling,
    scales,
    sheets,
    sketching,
    tiles,
    varying,
    viewing,
)

__all__ = [
    "clips",
    "exporting",
    "fitting",
    "item_pictures",
    "latents",
    "machine",
    "radiance",
    "sampling",
    "scales",
    "sheets",
    "sketching",
    "tiles",
    "varying",
    "viewing",
]
