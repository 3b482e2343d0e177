"""How well portraits that are drawn after a rough sketch keep its colours where they are.

    python -m benchmarks.sketch_quality --sheet sheet.png

Sketches are made by rule: face, hair and shirt as flat patches before a plain ground, in colours that portraits have.
Prints a JSON object for each closeness: `colours`, the distance of the middle colour of each patch from what is drawn
in its place, in CIELAB (2 is just seen; without a sketch it is that of any portrait), mean of all patches. `--sheet`
has a sketch a row, and then what was drawn at each closeness.
"""

import itertools
import tempfile
from pathlib import Path

import numpy as np
import torch
import tyro
from jaxtyping import Bool, UInt8
from PIL import Image, ImageColor, ImageDraw
from skimage.color import rgb2lab

from benchmarks.judging.lines import Lines
from ddmi_core.fields.image import ImageField
from ddmi_core.model_folder import find_model
from ddmi_core.pipeline import Pipeline
from ddmi_core.recipe import SamplingSettings, Sketch
from ddmi_core.rendering.picture_layout import contact_sheet

_SIDE = 256
_CLOSENESSES = (0.0, 0.15, 0.25, 0.35, 0.5)
_SKIN, _HAIR = ("#f2d0b0", "#d9a07a", "#8d5a3b"), ("#c0392b", "#222222", "#d9b44a", "#6d4326")
_SHIRTS, _GROUNDS = ("#2e6fd0", "#2ecc71", "#e67e22", "#8e44ad"), ("#cfe8ff", "#f5e7c8", "#ffe0e8", "#d8f0d8")

_PROMPTS = ("a person", "a smiling woman", "a man", "")


def main(
    model: str = "portraits", sketches: int = 16, sheet: Path | None = None, device: str = "auto", threads: int = 1
) -> None:
    """Measure how sketches are followed.

    Args:
        model: name or folder, of portraits.
        sketches: how many.
        sheet: a PNG of what was drawn.
        device: auto, cpu or cuda.
        threads: how many threads torch may use.
    """
    torch.set_num_threads(threads)
    pipeline = Pipeline.from_pretrained(find_model(model), device=device)
    lines = Lines("sketch_quality", pipeline)
    made = [_sketch(number) for number in range(sketches)]
    latents, pictures = [], [[picture] for picture, _ in made]
    with tempfile.TemporaryDirectory() as folder:
        for number, (picture, *_) in enumerate(pictures):
            file = Path(folder, f"{number}.png")
            Image.fromarray(picture).save(file)
            latents.append(pipeline.encode(pipeline.read(file), refine_steps=0).numpy())
    for closeness in _CLOSENESSES:
        far = []
        for number, latent in enumerate(latents):
            prompt = _PROMPTS[number % len(_PROMPTS)]
            settings = SamplingSettings(prompt=prompt, sketch=Sketch.of(latent, closeness))
            field = pipeline.decode(pipeline.sample(settings, [number])[0])
            assert isinstance(field, ImageField), f"{pipeline.name} makes no pictures"
            drawn = field.preview(size=_SIDE)
            pictures[number].append(drawn)
            far += [_distance(drawn, colour, there) for colour, there in made[number][1]]
        lines("colours", float(np.mean(far)), closeness=closeness, patches=len(far), sketches=sketches)
    if sheet is not None:
        Image.fromarray(contact_sheet(list(itertools.chain(*pictures)), 1 + len(_CLOSENESSES))).save(sheet)


def _sketch(number: int) -> tuple[UInt8[np.ndarray, "s s 3"], list[tuple[str, Bool[np.ndarray, "s s"]]]]:
    """A sketch, and each of its patches: the colour, and where it can be seen."""
    skin, hair = _SKIN[number % len(_SKIN)], _HAIR[number // 2 % len(_HAIR)]
    shirt, ground = _SHIRTS[number % len(_SHIRTS)], _GROUNDS[number // 4 % len(_GROUNDS)]
    is_long = number % 2 == 0
    picture = Image.new("RGB", (_SIDE, _SIDE), ground)
    pen = ImageDraw.Draw(picture)
    pen.ellipse((60, 170, 196, 320), fill=shirt)
    pen.ellipse((55, 25, 201, 220) if is_long else (65, 25, 191, 140), fill=hair)
    pen.ellipse((78, 50, 178, 180), fill=skin)
    for x in (105, 141):
        pen.ellipse((x, 100, x + 10, 110), fill="black")
    pen.arc((110, 120, 146, 155), 20, 160, fill="black", width=4)
    pixels = np.asarray(picture)
    colours = (skin, hair, shirt, ground)
    return pixels, [(colour, (pixels == ImageColor.getrgb(colour)).all(-1)) for colour in colours]


def _distance(drawn: UInt8[np.ndarray, "s s 3"], colour: str, there: Bool[np.ndarray, "s s"]) -> float:
    """How far the middle colour of some pixels is from another one, in CIELAB."""
    found = np.median(drawn[there], axis=0)
    one, other = (rgb2lab(np.array(each) / 255.0) for each in (ImageColor.getrgb(colour), found))
    return float(np.linalg.norm(one - other))


if __name__ == "__main__":
    tyro.cli(main)
