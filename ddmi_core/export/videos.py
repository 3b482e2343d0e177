"""A continuous clip to a file: any size, any frame rate (fractions too) and any range, one frame at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ddmi_core.coordinates import WHOLE, moments
from ddmi_core.export.frames import Frame, write_frames
from ddmi_core.export.images import Renders
from ddmi_core.export.options import USUAL_SECONDS, VideoExport
from ddmi_core.export.targets import format_of
from ddmi_core.frame_size import frame_size
from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import ExportError
from ddmi_core.support.progress import Progress, report, sub_progress

"""Suffixes that `export_video` writes; `.png` stands for a folder of numbered pictures."""


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

    Every frame is a query of the function at its own moment; none is repeated or blended from others. The part of the
    canvas that the recipe's source covered is written, or the whole canvas; odd sides of MP4 and WebM grow by a pixel.

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
    count = max(1, round((stop - start) * options.fps))
    times = moments(start, options.fps, count, whole).tolist()

    def frames() -> Iterator[Frame]:
        for number, t in enumerate(times):
            report(progress, number / count, f"frame {number + 1:,} of {count:,}")
            share = sub_progress(progress, number / count, (number + 1) / count)
            yield field.at(t).render(width, height, region=region, progress=share)

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
        "evaluations": count * width * height,
    }
