"""Every format that is offered, by the command line as by the studio, has somebody who writes it."""

from __future__ import annotations

from ddmi_core.export import frames, images, meshes
from ddmi_core.export.options import ImageExport, RadianceExport, ShapeExport, VideoExport


def test_each_format_has_a_writer():
    assert {*ImageExport.formats, *ImageExport.aliases} == set(images._WRITERS)
    assert set(ShapeExport.formats) == set(meshes._WRITERS)
    assert set(VideoExport.formats) == {*frames._WRITERS, ".png"}
    assert set(RadianceExport.MESHES) <= set(meshes._WRITERS) and set(RadianceExport.FILMS) <= set(frames._WRITERS)
