"""A continuous clip to a file: any size, any frame rate (fractions too) and any range, one frame at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ddmi_core.coordinates import WHOLE
from ddmi_core.export.exposure import Take, developed
from ddmi_core.export.frames import Frame, write_frames
from ddmi_core.export.images import Renders
from ddmi_core.export.options import USUAL_SECONDS, VideoExport
from ddmi_core.export.targets import format_of
from ddmi_core.frame_size import frame_size
from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import ExportError
from ddmi_core.support.progress import Progress, report, sub_progress


@runtime_checkable
class Moving(Protocol):
    """What can be exported: a field that has a picture at every moment."""

    def at(self, t: float) -> Renders:
        """Return the picture at a moment in [-1, 1]."""


def export_video(
    field: Moving,
    path: Path,
    options: VideoExport,
    *,
    recipe: Recipe | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write a clip in the format that the suffix names, and return facts about what was written.

    Every frame is a query of the function at its own moment, or the mean of such queries while a shutter is open; none
    is repeated or blended from others. The part of the canvas that the recipe's source covered is written, or the whole
    canvas; odd sides of MP4 and WebM grow by a pixel.

    Raises:
        ExportError: unknown suffix, a range outside of the clip, something that the format cannot hold, or a place that
            cannot be written to.
        Cancelled: from inside `progress`; nothing stays.
    """
    suffix = format_of(path, VideoExport.formats, "video")
    whole = options.seconds or (recipe.seconds if recipe is not None else None) or USUAL_SECONDS
    start, stop = options.span or (0.0, whole)
    if stop > whole + 1e-6:
        raise ExportError(f"The clip lasts {whole:g} s: it has no part from {start:g} to {stop:g} s.")
    region = (recipe.extent if recipe is not None else None) or WHOLE
    width, height = frame_size(*options.pixels(region), suffix)
    take = Take(start, stop, options.loop)
    count = take.count(options.fps)
    evaluated = 0

    def exposed(number: int) -> Iterator[tuple[float, Frame]]:
        nonlocal evaluated
        exposures = take.exposures(number, options.fps, options.shutter)
        parts = len(exposures) * count
        for part, (second, share) in enumerate(exposures, start=number * len(exposures)):
            evaluated += width * height
            at, drawing = 2 * second / whole - 1, sub_progress(progress, part / parts, (part + 1) / parts)
            yield share, field.at(at).render(width, height, region=region, progress=drawing)

    def frames() -> Iterator[Frame]:
        for number in range(count):
            report(progress, number / count, f"frame {number + 1:,} of {count:,}")
            yield developed(exposed(number))

    note = recipe if options.embed_recipe else None
    written = write_frames(frames(), path, rate=options.fps, quality=options.quality, recipe=note)
    report(progress, 1.0, f"wrote {written.name}")
    return {
        "path": str(written),
        "width": width,
        "height": height,
        "frames": count,
        "fps": str(options.fps),
        "seconds_long": round(float(count / options.fps), 6),
        "evaluations": evaluated,
    }
