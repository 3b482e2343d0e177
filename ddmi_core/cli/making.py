"""`ddmi generate`, `ddmi reconstruct` and `ddmi fit`: signals of a prompt, or of a file of one's own."""

import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ValidationError
from tyro.conf import Positional, arg

from ddmi_core.cli.terminal import Device, Flag, Meter, model_folder, print_json, require
from ddmi_core.cli.writing import Writes, read_span
from ddmi_core.frame_size import size_notice
from ddmi_core.placement import Up
from ddmi_core.prompt_matrix import PromptMatrix, prompt_matrix, read_prompt_file
from ddmi_core.recipe import (
    MAX_SEED,
    USUAL_CLOSENESS,
    Closeness,
    Inpainting,
    PromptSettings,
    Recipe,
    SamplingSettings,
    Sketch,
    misfit,
)
from ddmi_core.support.errors import DataError, ExportError, ModelError
from ddmi_core.support.progress import Progress, sub_progress

if TYPE_CHECKING:
    from ddmi_core.domains import Domain
    from ddmi_core.export.options import ExportOptions
    from ddmi_core.fields.field import Field
    from ddmi_core.fitting import fit as fits
    from ddmi_core.pipeline import Pipeline

BATCH = 8  # items sampled at once
_SHEET_SIDE = 256  # pixels of each picture on a sheet
_FIGURES = {
    "psnr": "PSNR",
    "ssim": "SSIM",
    "iou": "IoU",
    "held_out_views": "views held out",
    "seen_psnr": "PSNR of the others",
}
"""Of a fit, in words."""


@dataclass(frozen=True, kw_only=True)
class Generate(Writes):
    """Generate signals from a prompt and write them to files.

    A prompt with alternatives in braces, such as "a {red|blue} chair", stands for one of each.

    Attributes:
        domain: what to generate: shape, image, nerf or video.
        settings: what is sampled, and how.
        sketch: a file of yours that is drawn after, such as a rough drawing: layout and colours are taken from it.
        closeness: how close to the sketch, 0 to 1.
        inpaint: a file that holds how it was made, such as a PNG of this command: a part of that becomes what the
            prompt says, and the rest is kept.
        part: x,x,y,y and z,z or t,t: from where to where that part reaches along each axis, in [-1, 1].
        prompts: a text file with a prompt on each line, instead of one; lines that begin with # are left out.
        seed: of the first item; the next ones count on from it. Random if not given.
        count: how many of each prompt. A file's name gets -1, -2 and so on.
        sheet: a PNG of all of it: prompts, or the alternatives in braces, as rows and columns.
        span: from,to in seconds of the part of a clip to write.
        no_recipe: do not write into a file how it was made.
        device: auto takes a GPU if there is one.
        model: name or folder; otherwise the first model of the domain.
    """

    domain: Positional[str]
    settings: Annotated[PromptSettings, arg(name="")] = PromptSettings()  # noqa: RUF009 - frozen
    sketch: Path | None = None
    closeness: Closeness = USUAL_CLOSENESS
    inpaint: Path | None = None
    part: str | None = None
    prompts: Path | None = None
    seed: int | None = None
    count: int = 1
    sheet: Path | None = None
    span: str | None = None
    no_recipe: Flag = False
    device: Device = "auto"
    model: str | None = None

    def run(self) -> None:
        """Do it."""
        from ddmi_core.domains import get_domain

        kind = get_domain(self.domain)
        span = None if self.span is None else self.span.split(",")
        options = self.options(kind, has_recipe=not self.no_recipe, span=span)
        require(self.count >= 1, "--count must be at least 1.")
        seed_fits = self.seed is None or 0 <= self.seed <= MAX_SEED - self.count + 1
        require(seed_fits, "--seed must be 0 or more, and all below 2^63.")
        asked = self._asked()
        if self.sheet is not None:
            _check_sheet(self.sheet, replace=self.force)
        targets = self.targets(len(asked.prompts) * self.count, kind, options)
        pipeline = _load(model_folder(self.model, self.domain), self.device)
        parts = {"inpaint": self._inpainting(pipeline), "sketch": self._sketch(pipeline)}
        settings = SamplingSettings(**self.settings.model_dump(), **parts)
        first = random.SystemRandom().randrange(2**31) if self.seed is None else self.seed
        seeds = range(first, first + self.count)
        if not any(asked.prompts):
            print("No prompt: anything the model knows.", file=sys.stderr)
        elif not pipeline.text_encoder.reads_texts:
            print(f"{pipeline.name} was trained without texts: anything it knows.", file=sys.stderr)
        wanted = [(prompt, seed) for prompt in asked.prompts for seed in seeds]
        pictures = []
        with Meter() as meter:
            for start in range(0, len(wanted), BATCH):
                part = wanted[start : start + BATCH]
                began = time.perf_counter()
                share = sub_progress(meter, start / len(wanted), (start + len(part)) / len(wanted))
                prompts, its_seeds = zip(*part, strict=True)
                sharing = sub_progress(share, 0.0, 0.3)
                latents = pipeline.sample_each(prompts, its_seeds, settings, progress=sharing)
                sampling = (time.perf_counter() - began) / len(part)
                for index, ((prompt, seed), latent) in enumerate(zip(part, latents, strict=True)):
                    recipe = _recipe(pipeline, **{**settings.model_dump(), "prompt": prompt, "seed": seed})
                    slot = sub_progress(share, 0.3 + 0.7 * index / len(part), 0.3 + 0.7 * (index + 1) / len(part))
                    began = time.perf_counter()
                    field = pipeline.decode(latent)
                    spent = sampling + time.perf_counter() - began
                    facts = _export(field, targets[start + index], options, recipe, slot, spent=spent)
                    meter.clear()
                    _tell(recipe, facts, self.json)
                    if self.sheet is not None:
                        pictures.append(field.preview(size=_SHEET_SIDE))
        if self.sheet is not None:
            from ddmi_core.export.sheets import write_sheet

            write_sheet(self.sheet, pictures, *asked.sheet(seeds))

    def _inpainting(self, pipeline: "Pipeline") -> Inpainting | None:
        """What is kept of an item, and which part is drawn anew.

        Raises:
            DataError: the file does not tell how it was made, or it was made of a file, or by another model.
        """
        require((self.inpaint is None) == (self.part is None), "Give --inpaint and --part together.")
        if self.inpaint is None or self.part is None:
            return None
        from ddmi_core.export.recipe_files import read_recipe

        recipe = read_recipe(self.inpaint)
        if recipe is None or recipe.source is not None:
            raise DataError(f"{self.inpaint} does not tell how it was generated, so nothing of it can be kept.")
        if recipe.model_hash != pipeline.hash:
            raise DataError(f"{self.inpaint} was made by other weights ({recipe.model}) than those of {pipeline.name}.")
        axes = len({axis for plane in pipeline.domain.layout.axes for axis in plane})
        ends = self.part.split(",")
        require(len(ends) == 2 * axes, f"--part takes {2 * axes} numbers here, separated by commas.")
        try:
            return Inpainting(of=recipe.seeded, region=tuple(zip(ends[::2], ends[1::2], strict=True)))
        except ValidationError as error:
            raise DataError(f"--part: {misfit(error)}.") from error

    def _sketch(self, pipeline: "Pipeline") -> Sketch | None:
        """What is drawn after.

        Raises:
            DataError: the file cannot be read.
        """
        if self.sketch is None:
            return None
        require(0 <= self.closeness <= 1, "--closeness is from 0 to 1.")
        latent = pipeline.encode(pipeline.read(self.sketch), refine_steps=0)
        return Sketch.of(latent.numpy(), self.closeness, self.sketch.name)

    def _asked(self) -> PromptMatrix:
        """What is to be generated.

        Raises:
            DataError: the file of prompts cannot be read, there is none in it, or a prompt stands for too many.
        """
        if self.prompts is None:
            return prompt_matrix(self.settings.prompt)
        require(not self.settings.prompt, "Give --prompt or --prompts, not both.")
        prompts = read_prompt_file(self.prompts)
        return PromptMatrix((prompts, ("",)), prompts)


@dataclass(frozen=True, kw_only=True)
class _OfAFile(Writes):
    """A command about a file of one's own.

    Attributes:
        file: the file, or the folder of a scene.
        span: from,to in seconds of the part of a clip to take.
        up: the axis that is up in a mesh or a point cloud; scenes of posed pictures say it themselves.
        unit_cube: leave meshes, depths and cameras in [-1, 1] instead of the file's own units, place and up axis.
    """

    file: Positional[Path]
    span: str | None = None
    up: Up = "y"
    unit_cube: Flag = False


@dataclass(frozen=True, kw_only=True)
class Reconstruct(_OfAFile):
    """Encode a file of yours, such as a picture, a mesh or a point cloud, and write its continuous reconstruction.

    Attributes:
        refine: how many steps to fit what the encoder says to the file, 0 for none; not of point clouds.
        no_recipe: do not write into a file how it was made.
        device: auto takes a GPU if there is one.
        model: name or folder; otherwise the first model that reads such files.
    """

    refine: int = 100
    no_recipe: Flag = False
    device: Device = "auto"
    model: str | None = None

    def run(self) -> None:
        """Do it."""
        from ddmi_core.domains import get_domain
        from ddmi_core.model_folder import describe

        require(self.refine >= 0, "--refine is a number of steps: 0 or more.")
        file = self.file
        folder = model_folder(self.model, None) if self.model else _model_that_reads(file)
        kind = get_domain(describe(folder).domain)
        options = self.options(kind, has_recipe=not self.no_recipe, unit_cube=self.unit_cube or None)
        span = read_span(self.span)
        (target,) = self.targets(1, kind, options)
        pipeline = _load(folder, self.device)
        began = time.perf_counter()
        with Meter() as meter:
            meter(0.0, f"reading {file.name}")
            source = pipeline.read(file, span=span, up=self.up)
            latent = pipeline.encode(source, refine_steps=self.refine, progress=meter)
            field = pipeline.decode(latent)
            spent = time.perf_counter() - began
            recipe = _recipe(
                pipeline,
                seed=0,
                source=str(file),
                extent=pipeline.domain.extent(file),
                seconds=pipeline.domain.duration(file, span),
                placement=pipeline.domain.placement(source),
            )
            facts = _export(field, target, options, recipe, meter, spent=spent)
        _tell(recipe, facts, self.json)


@dataclass(frozen=True, kw_only=True)
class Fit(_OfAFile):
    """Fit basis fields to a picture, mesh, clip or scene of yours, and keep them, or write what they stand for.

    A scene is the `transforms.json` of posed photographs, or their folder. The file may also be a fit that was kept,
    and the output a .fit file, which keeps the basis fields. Pictures and clips get as many pixels as they have, unless
    a resolution is given.

    Attributes:
        fidelity: of pictures, faithful has a cell for each pixel, balanced one for 4 x 4; of meshes and scenes, planes
            of 128 or 64 cells a side; of clips, a cell for each pixel or for 2 x 2. A fit that was kept is as it was.
        time: seconds that a mesh or a scene may take, about, instead of the usual number of steps. Pictures and clips
            are solved, and take the time that they take.
        start: a fit of the same mesh or scene that was kept, to go on with.
    """

    fidelity: Literal["balanced", "faithful"] = "faithful"
    time: float | None = None
    start: Path | None = None

    def run(self) -> None:
        """Do it."""
        from ddmi_core.domains import get_domain
        from ddmi_core.fitting import fit as fits
        from ddmi_core.fitting.plan import FitPlan

        began, file = time.perf_counter(), self.file
        kept = fits.Fit.load(file) if file.suffix.lower() == fits.SUFFIX else None
        domain = get_domain(kept.domain) if kept else _domain_that_fits(file)
        # Without its model nobody can make it again from what a file says of it
        has_recipe = "embed_recipe" not in domain.kind.export_options.model_fields
        options = self.options(domain, has_recipe=has_recipe, unit_cube=self.unit_cube or None)
        span = read_span(self.span)
        is_whole = kept is None or span is None
        require(is_whole, "A fit that was kept is of the part that it was fitted to: leave --span out.")
        is_learned = kept is None or (self.time is None and self.start is None)
        require(is_learned, "To go on with a fit that was kept, give --start it and the file that it is of.")
        start = fits.Fit.load(self.start) if self.start is not None else None
        plan = FitPlan(self.fidelity, self.up, span, self.time, start)
        (target,) = self.targets(1, domain, options, more=(fits.SUFFIX,))
        with Meter() as meter:
            found = kept or domain.fit(file, plan, sub_progress(meter, 0.0, 0.8))
            facts: dict[str, Any] = found.facts.model_dump()
            if target.suffix.lower() == fits.SUFFIX:
                found.save(target)
            else:
                facts |= self._export(found, domain, target, options, sub_progress(meter, 0.8, 1.0))
        # Pictures of a clip are in a folder, whose name is not quite what was asked for
        facts = {"path": str(target), "seconds": round(time.perf_counter() - began, 3), **facts}
        if self.json:
            print_json(facts)
        else:
            figures = ", ".join(f"{_FIGURES.get(name, name)} {value:.4g}" for name, value in facts["figures"].items())
            size = f"{facts['size_bytes'] / 1e6:.1f} MB"
            print(f"{facts['path']}  (from {file}, {facts['fidelity']}, {size}, {figures})", flush=True)
            if facts["remark"]:
                print(facts["remark"], file=sys.stderr)

    def _export(
        self, found: "fits.Fit", domain: "Domain", target: Path, options: "ExportOptions", progress: Progress | None
    ) -> dict[str, Any]:
        """Write what a fit stands for, as large and as deep as its file if not told; return the facts about it."""
        from ddmi_core.export.options import ImageExport

        recipe = Recipe(
            domain=domain.name,
            model="",
            model_hash="",
            source=str(self.file),
            extent=found.extent,
            seconds=found.film.seconds if found.film is not None else None,
            placement=found.placement,
            fit=found.facts,
        )
        own = found.facts.resolution(getattr(options, "region", None))
        if self.resolution is None and own is not None:
            options = options.model_copy(update={"resolution": own})
        if isinstance(options, ImageExport) and self.bits is None and target.suffix.lower() in options.DEEP:
            options = options.model_copy(update={"bits": found.facts.bits})
        return domain.fitted(found).export(target, options, recipe=recipe, progress=progress)


def _domain_that_fits(file: Path) -> "Domain":
    from ddmi_core.domains import domain_names, get_domain

    domains = [domain for domain in map(get_domain, domain_names()) if domain.can_fit]
    for domain in domains:
        if domain.fits(file):
            return domain
    known = ", ".join(dict.fromkeys(suffix for domain in domains for suffix in domain.import_formats))
    raise DataError(f"Nothing can be fitted to {file.suffix or 'a file without a suffix'}; it can be to {known}.")


def _model_that_reads(file: Path) -> Path:
    from ddmi_core.domains import get_domain
    from ddmi_core.model_folder import list_models

    for info in list_models():
        if get_domain(info.domain).takes(file):
            return info.folder
    raise ModelError(
        f"No model on this machine reads {file.suffix or 'files without a suffix'}. Give one with --model."
    )


def _check_sheet(path: Path, *, replace: bool) -> None:
    """Complain before anything is made.

    Raises:
        ExportError: the file has another suffix than a sheet, or is there already and not to be replaced.
    """
    from ddmi_core.export.sheets import SHEETS
    from ddmi_core.export.targets import format_of, in_the_way

    format_of(path, SHEETS, "sheet")
    if in_the_way([path], replace=replace) is not None:
        raise ExportError(f"{path} is there already: give another name, or --force.")


def _load(folder: Path, device: Device) -> "Pipeline":
    from ddmi_core.pipeline import Pipeline

    return Pipeline.from_pretrained(folder, device=device)


def _recipe(pipeline: "Pipeline", **values: Any) -> Recipe:
    return Recipe(domain=pipeline.domain.name, model=pipeline.name, model_hash=pipeline.hash, **values)


def _export(
    field: "Field[Any]",
    target: Path,
    options: "ExportOptions",
    recipe: Recipe,
    progress: Progress | None,
    *,
    spent: float,
) -> dict[str, Any]:
    """Write one item; return the facts about it. `spent` seconds went into it before."""
    asked = options.pixels(recipe.extent)
    if asked is not None and (notice := size_notice(*asked, target.suffix)):
        print(notice, file=sys.stderr)
    began = time.perf_counter()
    facts = field.export(target, options, recipe=recipe, progress=progress)
    return {"path": str(target), "seconds": round(spent + time.perf_counter() - began, 3), **facts}


def _tell(recipe: Recipe, facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json({"seed": recipe.seed, **facts, "recipe": recipe.model_dump()})
        return
    details = ", ".join(f"{name} {value}" for name, value in facts.items() if name != "path")
    origin = f"from {recipe.source}" if recipe.source else f"seed {recipe.seed}"
    print(f"{facts['path']}  ({origin}, {details})", flush=True)
