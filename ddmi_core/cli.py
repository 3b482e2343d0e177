"""The `ddmi` command: everything the window can do, without a window.

Torch and the models are loaded only by the commands that need them, so that help comes at once.
"""

import itertools
import json
import logging
import random
import string
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from pydantic import ValidationError
from tyro.conf import FlagCreatePairsOff, Positional, UseAppendAction, arg

from ddmi_core.frame_size import told_size
from ddmi_core.placement import Up
from ddmi_core.recipe import MAX_SEED, Denoising, Recipe, SamplingSettings, misfit
from ddmi_core.rendering.view_settings import Channel
from ddmi_core.support.errors import DataError, DDMIError, ExportError, ModelError
from ddmi_core.support.progress import Progress, sub_progress
from ddmi_core.support.threads import spare_the_machine

if TYPE_CHECKING:
    from torch import Tensor

    from ddmi_core.domains import Domain
    from ddmi_core.export.options import ExportOptions
    from ddmi_core.pipeline import Pipeline

Device = Literal["auto", "cpu", "cuda"]
Flag = FlagCreatePairsOff[bool]
BATCH = 8  # items sampled at once

app = tyro.extras.SubcommandApp()
data_app = tyro.extras.SubcommandApp()
app.command(data_app, name="data", help="Look into data sets.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0, 1 for an error, 2 for wrong usage, 130 for Ctrl+C."""
    spare_the_machine()
    try:
        app.cli(
            prog="ddmi",
            description="Generate, reconstruct and train continuous signals.",
            args=list(sys.argv[1:] if argv is None else argv),
            config=(tyro.conf.OmitSubcommandPrefixes,),
        )
    except DDMIError as error:
        print(f"ddmi: {error}", file=sys.stderr)
        return 1
    except ValidationError as error:
        if error.title not in (Denoising.__name__, SamplingSettings.__name__):
            raise
        print(f"ddmi: --{misfit(error)}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ddmi: stopped", file=sys.stderr)
        return 130
    except SystemExit as stop:  # tyro's, for help and wrong usage
        return stop.code if isinstance(stop.code, int) else 1
    return 0


@app.command
def generate(
    domain: Positional[str],
    /,
    *,
    out: Path,
    settings: Annotated[SamplingSettings, arg(name="")] = SamplingSettings(),  # noqa: B008 - frozen
    seed: int | None = None,
    count: int = 1,
    resolution: int | None = None,
    faces: int | None = None,
    region: str | None = None,
    bits: int | None = None,
    quality: int | None = None,
    fps: str | None = None,
    seconds: float | None = None,
    span: str | None = None,
    no_recipe: Flag = False,
    force: Flag = False,
    views: int | None = None,
    size: str | None = None,
    camera: str | None = None,
    crop: str | None = None,
    channel: Channel | None = None,
    background: str | None = None,
    device: Device = "auto",
    model: str | None = None,
    json: Flag = False,
) -> None:
    """Generate signals from a prompt and write them to files.

    Args:
        domain: what to generate: shape, image, nerf or video.
        out: a file, whose suffix names the format, or a folder, which gets numbered files.
        settings: what is sampled, and how.
        seed: of the first item; the next ones count on from it. Random if not given.
        count: how many. A file's name gets -1, -2 and so on.
        resolution: samples along each axis of a shape, pixels along the longer side of a picture, a view or a clip.
        faces: simplify meshes to about this many faces.
        region: left,top,right,bottom of the part of a picture to write, in [-1, 1], x right, y down.
        bits: 8 or 16 bits a channel, of PNG and TIFF.
        quality: of JPEG, WebP, MP4 and WebM, 1 to 100.
        fps: frames a second of a clip or a film: any number, or a fraction such as 30000/1001, which 29.97 means too.
        seconds: how long the whole clip lasts.
        span: from,to in seconds of the part of a clip to write.
        no_recipe: do not write into a file how it was made.
        force: replace files that are there already.
        views: how many views of a radiance field: frames of a turntable, or posed pictures for transforms.json.
        size: WIDTHxHEIGHT of a view in pixels, where it is not square.
        camera: azimuth,elevation[,distance[,fov]] of a view, degrees; 0,0 is the front.
        crop: x,y,z,x,y,z of two corners of a box, in [-1, 1]: what lies outside of it is left out of views and meshes.
        channel: what a view shows: colour, depth, normals or opacity.
        background: of a view, as #rrggbb; transparent, or white in a video, if not given.
        device: auto takes a GPU if there is one.
        model: name or folder; otherwise the first model of the domain.
        json: print one JSON object a line for each file.
    """
    from ddmi_core.domains import get_domain

    kind = get_domain(domain)
    moving = {"fps": fps, "seconds": seconds, "span": None if span is None else span.split(",")}
    look = _look(views, size, camera, crop, channel, background)
    options = _options(kind, resolution, faces, region, bits, quality, no_recipe, **moving, **look)
    _require(count >= 1, "--count must be at least 1.")
    _require(seed is None or 0 <= seed <= MAX_SEED - count + 1, "--seed must be 0 or more, and all below 2^63.")
    targets = plan_targets(out, count, kind, options, force=force)
    pipeline = _load(_model_folder(model, domain), device)
    first = random.SystemRandom().randrange(2**31) if seed is None else seed
    seeds = range(first, first + count)
    if not settings.prompt:
        print("No prompt: anything the model knows.", file=sys.stderr)
    with _Meter() as meter:
        for start in range(0, count, BATCH):
            part = seeds[start : start + BATCH]
            began = time.perf_counter()
            share = sub_progress(meter, start / count, (start + len(part)) / count)
            latents = pipeline.sample(settings, part, progress=sub_progress(share, 0.0, 0.3))
            sampling = (time.perf_counter() - began) / len(part)
            for index, (item_seed, latent) in enumerate(zip(part, latents, strict=True)):
                recipe = _recipe(pipeline, seed=item_seed, **settings.model_dump())
                slot = sub_progress(share, 0.3 + 0.7 * index / len(part), 0.3 + 0.7 * (index + 1) / len(part))
                facts = _export(pipeline, latent, targets[start + index], options, recipe, slot, spent=sampling)
                meter.clear()
                _tell(recipe, facts, json)


@app.command
def reconstruct(
    file: Positional[Path],
    /,
    *,
    out: Path,
    resolution: int | None = None,
    faces: int | None = None,
    region: str | None = None,
    bits: int | None = None,
    quality: int | None = None,
    fps: str | None = None,
    seconds: float | None = None,
    span: str | None = None,
    no_recipe: Flag = False,
    force: Flag = False,
    views: int | None = None,
    size: str | None = None,
    camera: str | None = None,
    crop: str | None = None,
    channel: Channel | None = None,
    background: str | None = None,
    up: Up = "y",
    unit_cube: Flag = False,
    refine: int = 100,
    device: Device = "auto",
    model: str | None = None,
    json: Flag = False,
) -> None:
    """Encode a file of yours, such as a picture, a mesh or a point cloud, and write its continuous reconstruction.

    Args:
        file: the file to encode.
        out: a file, whose suffix names the format, or a folder.
        resolution: samples along each axis of a shape, pixels along the longer side of a picture, a view or a clip.
        faces: simplify meshes to about this many faces.
        region: left,top,right,bottom of the part of a picture to write, in [-1, 1], x right, y down.
        bits: 8 or 16 bits a channel, of PNG and TIFF.
        quality: of JPEG, WebP, MP4 and WebM, 1 to 100.
        fps: frames a second of a clip or a film: any number, or a fraction such as 30000/1001, which 29.97 means too.
        seconds: how long the clip is to last, if not as long as the file.
        span: from,to in seconds of the part of a clip to encode.
        no_recipe: do not write into a file how it was made.
        force: replace files that are there already.
        views: how many views of a radiance field: frames of a turntable, or posed pictures for transforms.json.
        size: WIDTHxHEIGHT of a view in pixels, where it is not square.
        camera: azimuth,elevation[,distance[,fov]] of a view, degrees; 0,0 is the front.
        crop: x,y,z,x,y,z of two corners of a box, in [-1, 1]: what lies outside of it is left out of views and meshes.
        channel: what a view shows: colour, depth, normals or opacity.
        background: of a view, as #rrggbb; transparent, or white in a video, if not given.
        up: the axis that is up in a mesh or a point cloud; scenes of posed pictures say it themselves.
        unit_cube: leave meshes, depths and cameras in [-1, 1] instead of the file's own units, place and up axis.
        refine: how many steps to fit what the encoder says to the file, 0 for none; not of point clouds.
        device: auto takes a GPU if there is one.
        model: name or folder; otherwise the first model that reads such files.
        json: print a JSON object.
    """
    from ddmi_core.domains import get_domain
    from ddmi_core.model_folder import describe

    _require(refine >= 0, "--refine is a number of steps: 0 or more.")
    folder = _model_folder(model, None) if model else _model_that_reads(file)
    kind = get_domain(describe(folder).domain)
    look = _look(views, size, camera, crop, channel, background)
    own = {"fps": fps, "seconds": seconds, "unit_cube": unit_cube or None}
    options = _options(kind, resolution, faces, region, bits, quality, no_recipe, **own, **look)
    part = None if span is None else _span(span)
    (target,) = plan_targets(out, 1, kind, options, force=force)
    pipeline = _load(folder, device)
    began = time.perf_counter()
    with _Meter() as meter:
        meter(0.0, f"reading {file.name}")
        source = pipeline.read(file, span=part, up=up)
        latent = pipeline.encode(source, refine_steps=refine, progress=meter)
        spent = time.perf_counter() - began
        lasts = pipeline.domain.duration(file, part)
        recipe = _recipe(
            pipeline,
            seed=0,
            source=str(file),
            extent=pipeline.domain.extent(file),
            seconds=lasts,
            placement=pipeline.domain.placement(source),
        )
        facts = _export(pipeline, latent, target, options, recipe, meter, spent=spent)
    _tell(recipe, facts, json)


@app.command
def fit(
    file: Positional[Path],
    /,
    *,
    out: Path,
    fidelity: Literal["balanced", "faithful"] = "faithful",
    resolution: int | None = None,
    faces: int | None = None,
    region: str | None = None,
    bits: int | None = None,
    quality: int | None = None,
    fps: str | None = None,
    seconds: float | None = None,
    span: str | None = None,
    up: Up = "y",
    unit_cube: Flag = False,
    force: Flag = False,
    json: Flag = False,
) -> None:
    """Fit basis fields to a picture, mesh or clip of yours, and keep them, or write what they stand for at any size.

    Args:
        file: the picture, mesh or clip, or a fit that was kept.
        out: a .fit file, which keeps the basis fields; or a file whose suffix names the format, or a folder.
        fidelity: of pictures, faithful has a cell for each pixel, balanced one for 4 x 4; of meshes, planes of 128 or
            64 cells a side; of clips, a cell for each pixel or for 2 x 2. A fit that was kept is as it was.
        resolution: pixels along the longer side of a picture or a clip, as many as it has if not given; samples along
            each axis of a shape.
        faces: simplify meshes to about this many faces.
        region: left,top,right,bottom of the part to write, in [-1, 1] of the square canvas, x right, y down.
        bits: 8 or 16 bits a channel, of PNG and TIFF.
        quality: of JPEG, WebP, MP4 and WebM, 1 to 100.
        fps: frames a second of a clip: any number, or a fraction such as 30000/1001, which 29.97 means too.
        seconds: how long the clip is to last, if not as long as the file.
        span: from,to in seconds of the part of a clip to fit.
        up: the axis that is up in a mesh.
        unit_cube: leave meshes in [-1, 1] instead of the file's own units, place and up axis.
        force: replace files that are there already.
        json: print a JSON object.
    """
    from ddmi_core.domains import get_domain
    from ddmi_core.fitting.fit import SUFFIX, Fit

    began = time.perf_counter()
    kept = Fit.load(file) if file.suffix.lower() == SUFFIX else None
    domain = get_domain(kept.domain) if kept else _domain_that_fits(file)
    # Without its model nobody can make it again from what a file says of it
    no_recipe = "embed_recipe" in domain.kind.export_options.model_fields
    of_its_kind = {"fps": fps, "seconds": seconds, "unit_cube": unit_cube or None}
    options = _options(domain, resolution, faces, region, bits, quality, no_recipe, **of_its_kind)
    part = None if span is None else _span(span)
    _require(
        kept is None or part is None, "A fit that was kept is of the part that it was fitted to: leave --span out."
    )
    (target,) = plan_targets(out, 1, domain, options, force=force, more=(SUFFIX,))
    with _Meter() as meter:
        found = kept or domain.fit(file, fidelity, sub_progress(meter, 0.0, 0.8), up=up, span=part)
        facts: dict[str, Any] = found.facts.model_dump()
        if target.suffix.lower() == SUFFIX:
            found.save(target)
        else:
            recipe = Recipe(
                domain=domain.name,
                model="",
                model_hash="",
                source=str(file),
                extent=found.extent,
                seconds=found.film.seconds if found.film is not None else None,
                placement=found.placement,
                fit=found.facts,
            )
            if resolution is None and (own := found.facts.resolution(getattr(options, "region", None))) is not None:
                options = options.model_copy(update={"resolution": own})
            written = domain.fitted(found).export(
                target, options, recipe=recipe, progress=sub_progress(meter, 0.8, 1.0)
            )
            facts |= written
    facts = {"path": str(target), "seconds": round(time.perf_counter() - began, 3), **facts}
    if json:
        _print_json(facts)
    else:
        figures = ", ".join(f"{name.upper()} {value:.4g}" for name, value in facts.pop("figures").items())
        print(
            f"{target}  (from {file}, {facts['fidelity']}, {facts['size_bytes'] / 1e6:.1f} MB, {figures})", flush=True
        )


def _domain_that_fits(file: Path) -> "Domain":
    from ddmi_core.domains import domain_names, get_domain

    domains = [domain for domain in map(get_domain, domain_names()) if domain.can_fit]
    for domain in domains:
        if file.suffix.lower() in domain.import_formats:
            return domain
    known = ", ".join(suffix for domain in domains for suffix in domain.import_formats)
    raise DataError(f"Nothing can be fitted to {file.suffix or 'a file without a suffix'}; it can be to {known}.")


@app.command
def train(
    *,
    out: Path | None = None,
    preset: str | None = None,
    config: Path | None = None,
    data: str | None = None,
    set: Annotated[list[tuple[str, ...]], UseAppendAction, arg(metavar="KEY=VALUE ...")] = [],  # noqa: B006 - tyro's
    device: Device = "auto",
    resume: Flag = False,
) -> None:
    """Train a model in a run folder: both stages, then the finished model folder.

    Of several processes (the recipe's, or `accelerate launch -m ddmi_core.cli train ...`) each takes its part.

    Args:
        out: the run folder; otherwise one of the recipe's name among the studio's runs.
        preset: a training recipe that comes with the project.
        config: a training recipe of your own (YAML).
        data: a starter set's name or your folder, instead of the recipe's data.
        set: single settings of the recipe, such as stage1.steps=1000; may be given several times.
        device: cpu or cuda, instead of the recipe's.
        resume: go on with the run in the folder; its own recipe counts.
    """
    from ddmi_core.support.known_runs import runs_folder
    from ddmi_core.training.config import DataPart, RunConfig

    _require(bool(preset) + bool(config) <= 1, "Give --preset or --config, not both.")
    if config is not None:
        recipe = RunConfig.from_file(config)
    elif preset is not None:
        recipe = RunConfig.from_preset(preset)
    else:
        _require(
            resume and out is not None,
            "Give --preset NAME or --config FILE, or --out and --resume to go on with the run there.",
        )
        recipe = RunConfig.from_file(Path(str(out)) / "run.yaml")
    out = out or runs_folder() / recipe.name
    begun = resume and (out / "run.yaml").exists()
    _require(
        not (begun and (set or data)),
        f"The run in {out} goes on as its own run.yaml says. Change that file, and leave --set and --data out.",
    )
    recipe = recipe.with_overrides([assignment for group in set for assignment in group])
    if data is not None:
        recipe = recipe.model_copy(update={"data": (DataPart(source=data),)})
    # Only now: torch and what stands on it.
    from ddmi_core.support.processes import is_launched, launch
    from ddmi_core.training.run import begin
    from ddmi_core.training.run import train as run_training
    from ddmi_core.training.run_folder import RunFolder, Stopped

    if not is_launched():
        recipe = begin(recipe, out, resume)
        if recipe.processes > 1:
            arguments = ["train", "--out", str(out), "--resume", "--device", device]
            raise SystemExit(launch(arguments, recipe.processes))
        resume = True
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        folder = run_training(recipe, out, resume=resume, device=device)
    except Stopped:
        print(f"Stopped; a checkpoint is in {out}. Go on with: ddmi train --out {out} --resume", file=sys.stderr)
        return
    except (ArithmeticError, OSError, RuntimeError) as error:  # torch's and the system's
        raise DDMIError(
            f"The training failed: {error} The report is {RunFolder(out).crash_file}. "
            f"Once the cause is removed, go on with: ddmi train --out {out} --resume"
        ) from error
    print(folder)


@app.command
def trial(
    *,
    preset: str | None = None,
    config: Path | None = None,
    seconds: float = 20.0,
    largest_batch: Flag = False,
    device: Device = "auto",
) -> None:
    """Train for some seconds, keep nothing, and print as JSON what a whole training would cost on this machine.

    Args:
        preset: a training recipe that comes with the project.
        config: a training recipe of your own (YAML).
        seconds: how long to try, data apart.
        largest_batch: instead, find the largest batch of each stage that fits into memory, and say what limits it: the
            memory, the data (there are no more examples) or the time (larger steps do not end in it).
        device: cpu or cuda, instead of the recipe's.
    """
    from ddmi_core.training.config import RunConfig

    _require((preset is None) != (config is None), "Give --preset NAME or --config FILE.")
    recipe = RunConfig.from_file(config) if config is not None else RunConfig.from_preset(str(preset))
    from ddmi_core.training.run import make_accelerator
    from ddmi_core.training.trial import largest_batches, try_out

    accelerator = make_accelerator(recipe, device)
    if largest_batch:
        found_batches = largest_batches(recipe, accelerator, seconds=seconds)
        _print_json({stage: batch._asdict() for stage, batch in found_batches._asdict().items()})
        return
    found = try_out(recipe, accelerator, seconds=seconds)
    _print_json({**found._asdict(), "run_seconds": found.seconds(recipe)})


@app.command
def ablate(
    *,
    out: Path,
    steps: int,
    preset: str | None = None,
    config: Path | None = None,
    set: Annotated[tuple[str, ...], arg(metavar="KEY=VALUE ...")] = (),
    device: Device = "auto",
    json: Flag = False,
) -> None:
    """Train the autoencoder of a recipe in the three ways of the paper's Table 8 and print what each is worth.

    Args:
        out: a folder that gets a run folder for each; what is done already is not done again.
        steps: of each autoencoder.
        preset: a training recipe that comes with the project.
        config: a training recipe of your own (YAML).
        set: single settings of the recipe, such as stage1.batch=8.
        device: auto takes a GPU if there is one.
        json: print one JSON object a line for each.
    """
    from ddmi_core.training.config import RunConfig

    _require((preset is None) != (config is None), "Give --preset NAME or --config FILE.")
    _require(steps >= 1, "--steps must be at least 1.")
    recipe = RunConfig.from_file(config) if config is not None else RunConfig.from_preset(str(preset))
    from ddmi_core.training.ablation import ablate as run_ablation

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for row in run_ablation(recipe.with_overrides(list(set)), out, steps=steps, device=device):
        if json:
            _print_json(row._asdict())
            continue
        figures = "  ".join(f"{name} {value:.4g}" for name, value in row.figures.items())
        print(f"{row.variant:14}  {row.parameters:,} parameters  {row.steps:,} steps  {figures}", flush=True)


@app.command
def evaluate(
    model: Positional[str],
    /,
    *,
    out: Path,
    data: str | None = None,
    split: Literal["train", "held_out"] = "train",
    metrics: tuple[str, ...] | None = None,
    samples: int = 1000,
    references: int | None = None,
    reconstructions: int = 64,
    per_prompt: int | None = None,
    points: int = 2048,
    network: str | None = None,
    seed: int = 0,
    denoising: Annotated[Denoising, arg(name="")] = Denoising(),  # noqa: B008 - frozen
    device: Device = "auto",
    json: Flag = False,
) -> None:
    """Measure a model against a data set, and write report.json and report.html.

    What was interrupted goes on where it stopped, given the same settings. Of several processes
    (`accelerate launch -m ddmi_core.cli evaluate ...`) each takes its part.

    Args:
        model: name or folder.
        out: the folder of the report.
        data: a starter set's name or your folder; otherwise the first starter set of the model's domain.
        split: the part of the data that samples are compared with; reconstructions are always of the held-out part.
        metrics: which; otherwise all that need no weight file, no hours, and not many samples of a prompt.
        samples: how many signals to generate.
        references: compare with at most so many signals of the data.
        reconstructions: reconstruct at most so many held-out signals.
        per_prompt: samples of each prompt; 10 if tmd is asked for, otherwise 1.
        points: of each cloud that sets of clouds are compared by.
        network: that takes the features; otherwise the one that comes along.
        seed: of the first sample; the next ones count on from it.
        denoising: how samples are made.
        device: auto takes a GPU if there is one.
        json: print the report.
    """
    from ddmi_core.domains import get_domain
    from ddmi_core.evaluation.plan import make_plan
    from ddmi_core.model_folder import describe

    folder = _model_folder(model, None)
    found = describe(folder)
    domain = get_domain(found.domain)
    for flag, value, least, most in (
        ("samples", samples, 1, None),
        ("references", references, 1, None),
        ("reconstructions", reconstructions, 1, None),
        ("per-prompt", per_prompt, 1, None),
        ("points", points, 16, 2048),
        ("seed", seed, 0, MAX_SEED),
    ):
        bounds = f"{least} or more" if most is None else f"from {least} to {most}"
        _require(value is None or (value >= least and (most is None or value <= most)), f"--{flag} must be {bounds}.")
    plan = make_plan(
        domain,
        None if metrics is None else list(metrics),
        network,
        per_prompt,
        model=found.name,
        model_hash=found.hash,
        data=data or domain.starter_sets[0],
        split=split,
        samples=samples,
        references=references,
        reconstructions=reconstructions,
        points=points,
        first_seed=seed,
        **denoising.model_dump(),
    )
    from ddmi_core.evaluation import PAGE
    from ddmi_core.evaluation.run import evaluate as run_evaluation

    with _Meter() as meter:
        report = run_evaluation(plan, _load(folder, device), out, device=device, progress=meter)
    if not report:  # of another process than the first
        return
    if json:
        _print_json(report)
        return
    for figure in report["figures"]:
        told = "not told" if figure["value"] is None else f"{figure['value']:.4g} {figure.get('unit', '')}".rstrip()
        print(f"{figure['name']}: {told}{'. ' + figure['reason'] if 'reason' in figure else ''}")
    for kind, reasons in report["not_measured"].items():
        if left_out := sum(reasons.values()):
            print(f"{left_out:,} of the {kind} are in no figure: {reasons}", file=sys.stderr)
    print(out / PAGE)


@app.command
def models(*, json: Flag = False) -> None:
    """List the models on this machine.

    Args:
        json: print one JSON object a line for each model.
    """
    from ddmi_core.model_folder import list_models

    found = list_models()
    for model in found:
        if json:
            _print_json({**vars(model), "folder": str(model.folder)})
        else:
            print(
                f"{model.name}  {model.domain}  {model.size_bytes / 1e6:.1f} MB  {model.text_encoder}  {model.folder}"
            )
    if not found:
        print("There are no models yet. Train one: ddmi train --preset NAME --out RUN", file=sys.stderr)


@app.command
def presets(*, json: Flag = False) -> None:
    """List the training recipes: parameters of both networks, and the memory of their weights, AdamW and average.

    Args:
        json: print one JSON object a line for each recipe.
    """
    from ddmi_core.training.config import RunConfig, preset_names
    from ddmi_core.training.sizes import sizes

    for name in preset_names():
        recipe = RunConfig.from_preset(name)
        found = sizes(recipe)
        if json:
            _print_json({"name": name, "domain": recipe.domain, **found._asdict()})
            continue
        latent = " x ".join(map(str, found.canvas))
        print(
            f"{name:20} {recipe.domain:6} latent {latent:14} autoencoder {found.autoencoder / 1e6:6.1f} M, "
            f"{found.autoencoder_bytes / 1e9:5.2f} GB  denoiser {found.denoiser / 1e6:7.1f} M, "
            f"{found.denoiser_bytes / 1e9:5.2f} GB",
            flush=True,
        )


@data_app.command(name="prepare")
def data_prepare(*, processes: int | None = None) -> None:
    """Draw all portraits ahead, so that a training on them need not; takes half an hour of one processor, and 0.4 GB.

    Args:
        processes: how many share the work; as many as there are processors if not given.
    """
    from ddmi_core.data.portraits.rasters import draw_ahead
    from ddmi_core.data.portraits.storage import shipped_portraits

    _require(processes is None or processes >= 1, "--processes must be 1 or more.")
    with _Meter() as meter:
        draw_ahead(range(len(shipped_portraits())), processes=processes, progress=meter)


@data_app.command(name="check")
def data_check(path: Positional[Path], /, *, json: Flag = False) -> None:
    """Say which published data set a folder is, what it holds and what is wrong with it; exit with 1 if unusable.

    Args:
        path: the data set's root folder.
        json: print a JSON object.
    """
    from ddmi_core.data.layout_check import check_layout

    with _Meter() as meter:
        found = check_layout(path, meter)
    if json:
        problems = [{"path": str(one.path), "reason": one.reason} for one in found.unusable]
        _print_json({**vars(found), "unusable": problems, "usable": found.usable})
    else:
        print(f"{found.title} ({found.layout}), for {found.domain}: {found.captions:,} captions")
        for name, counts in (("split", found.splits), ("size", found.sizes)):
            for key, count in itertools.islice(counts.items(), 10):
                print(f"  {name} {key}: {count:,}")
        for remark in found.remarks:
            print(f"  {remark}")
        for one in found.unusable[:20]:
            print(f"  cannot be used: {one.path}: {one.reason}")
        if len(found.unusable) > 20:
            print(f"  and {len(found.unusable) - 20:,} more; --json lists them all")
    if not found.usable:
        raise DataError(f"{path} holds nothing to train on.")


def plan_targets(
    out: Path,
    count: int,
    domain: "Domain",
    options: "ExportOptions",
    *,
    force: bool = False,
    more: tuple[str, ...] = (),
) -> list[Path]:
    """Return the files that `count` items of a domain go to.

    A path with a suffix is a file: alone as it is, several with -1, -2 and so on after the stem. Any other path is a
    folder, made if need be, in which the numbers go on after those that are taken. `more` are suffixes beside the
    domain's formats.

    Raises:
        ExportError: the suffix is none of the domain's formats, the folder cannot be made, or something is there
            already: a folder of pictures, or a file that is not to be replaced by `force`.
    """
    from ddmi_core.export.targets import in_the_way

    is_folder = out.is_dir() or not out.suffix
    if not is_folder and out.suffix.lower() not in (*options.formats, *options.aliases, *more):
        known = ", ".join((*options.formats, *options.aliases, *more))
        raise ExportError(
            f'Cannot export to {out}: "{out.suffix}" is not a format of {domain.title.lower()}. Use {known}.'
        )
    folder = out if is_folder else out.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"Cannot make the folder {folder}: {error.strerror}. Choose another place.") from error
    if is_folder:
        names = (folder / f"{domain.name}-{n:03d}{next(iter(options.formats))}" for n in itertools.count(1))
        free = (path for path in names if in_the_way(options.targets(path), replace=False) is None)
        return list(itertools.islice(free, count))
    targets = [out] if count == 1 else [out.with_stem(f"{out.stem}-{n}") for n in range(1, count + 1)]
    taken = in_the_way(itertools.chain(*map(options.targets, targets)), replace=force)
    if taken is not None:
        kind = "a folder is never replaced, give another name" if taken.is_dir() else "give another name, or --force"
        raise ExportError(f"{taken} is there already: {kind}.")
    return targets


class _Meter:
    """One line on a terminal that says how far the work is; nothing where stderr is no terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, fraction: float, text: str) -> None:
        if self._shown:
            print(f"\r\033[K{fraction:4.0%}  {text[:70]}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> "_Meter":
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()


def _require(condition: bool, message: str) -> None:
    if not condition:
        print(f"ddmi: {message}", file=sys.stderr)
        raise SystemExit(2)


def _model_folder(model: str | None, domain: str | None) -> Path:
    """Return the folder of a model, which must be of the domain, or of the domain's first model."""
    from ddmi_core.model_folder import describe, find_model, list_models

    if model is None:
        fitting = list_models(domain)
        if not fitting:
            raise ModelError(f"There is no model for {domain} on this machine. Give one with --model, or train one.")
        return fitting[0].folder
    folder = find_model(model)
    own = describe(folder).domain
    if domain is not None and own != domain:
        raise ModelError(f"{folder} is a model for {own}, not for {domain}. `ddmi models` lists what there is.")
    return folder


def _model_that_reads(file: Path) -> Path:
    from ddmi_core.domains import get_domain
    from ddmi_core.model_folder import list_models

    for info in list_models():
        if file.suffix.lower() in get_domain(info.domain).import_formats:
            return info.folder
    raise ModelError(
        f"No model on this machine reads {file.suffix or 'files without a suffix'}. Give one with --model."
    )


def _load(folder: Path, device: Device) -> "Pipeline":
    from ddmi_core.pipeline import Pipeline

    return Pipeline.from_pretrained(folder, device=device)


def _options(
    domain: "Domain",
    resolution: int | None,
    faces: int | None,
    region: str | None,
    bits: int | None,
    quality: int | None,
    no_recipe: bool,
    **of_its_kind: Any,
) -> "ExportOptions":
    """Return the domain's export options; what was not given is the domain's to choose."""
    given = {
        "resolution": resolution,
        "faces": faces,
        "region": None if region is None else region.split(","),
        "bits": bits,
        "quality": quality,
        "embed_recipe": False if no_recipe else None,
        **of_its_kind,
    }
    return domain.kind.export_options.checked({name: value for name, value in given.items() if value is not None})


def _span(text: str) -> tuple[float, float]:
    """Read a range given as from,to."""
    try:
        start, stop = (float(part) for part in text.split(","))
    except ValueError:
        raise DataError(f"{text!r} is no range: give from,to in seconds, such as 10,20.") from None
    return start, stop


def _look(
    views: int | None,
    size: str | None,
    camera: str | None,
    crop: str | None,
    channel: Channel | None,
    background: str | None,
) -> dict[str, Any]:
    """Return the options that say how to look at a radiance field."""
    width, height = _numbers(size, "x", 2, 2, "--size is WIDTHxHEIGHT, such as 1280x720.")[:2] if size else (None, None)
    places = _numbers(camera, ",", 2, 4, "--camera is azimuth,elevation[,distance[,fov]].") if camera else []
    view: dict[str, Any] = {} if channel is None else {"channel": channel}
    if crop is not None:
        view["crop"] = _numbers(crop, ",", 6, 6, "--crop is x,y,z,x,y,z: the lowest and the highest corner of a box.")
    if background is not None:
        digits = background.removeprefix("#")
        _require(len(digits) == 6 and all(c in string.hexdigits for c in digits), "--background is a colour: #rrggbb.")
        view["background"] = tuple(bytes.fromhex(digits))
    return {
        "views": views,
        "width": width,
        "height": height,
        **dict(zip(("azimuth", "elevation", "distance", "fov"), places, strict=False)),
        "view": view or None,
    }


def _numbers(text: str, separator: str, least: int, most: int, message: str) -> list[float]:
    """Return the numbers that a person gave in one word."""
    try:
        found = [float(part) for part in text.split(separator)]
    except ValueError:
        found = []
    _require(least <= len(found) <= most, message)
    return found


def _recipe(pipeline: "Pipeline", **values: Any) -> Recipe:
    return Recipe(domain=pipeline.domain.name, model=pipeline.name, model_hash=pipeline.hash, **values)


def _export(
    pipeline: "Pipeline",
    latent: "Tensor",
    target: Path,
    options: "ExportOptions",
    recipe: Recipe,
    progress: Progress | None,
    *,
    spent: float,
) -> dict[str, Any]:
    """Decode and write one item; return the facts about it. `spent` seconds went into its latent."""
    asked = options.pixels(recipe.extent)
    if asked is not None and (told := told_size(*asked, target.suffix)):
        print(told, file=sys.stderr)
    began = time.perf_counter()
    field = pipeline.decode(latent)
    facts = field.export(target, options, recipe=recipe, progress=progress)
    return {"path": str(target), "seconds": round(spent + time.perf_counter() - began, 3), **facts}


def _tell(recipe: Recipe, facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        _print_json({"seed": recipe.seed, **facts, "recipe": recipe.model_dump()})
        return
    details = ", ".join(f"{name} {value}" for name, value in facts.items() if name != "path")
    origin = f"from {recipe.source}" if recipe.source else f"seed {recipe.seed}"
    print(f"{facts['path']}  ({origin}, {details})", flush=True)


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
