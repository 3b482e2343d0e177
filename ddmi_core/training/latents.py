"""Encoded examples that stage two learns from: made once, kept beside the run, and never in memory as a whole.

    RUN/cache/latents.safetensors   latents and held_out, float16; log_variances where posterior samples are asked for
              latents.partial       the same while it is being made
              latents.json          how much of it is there, and its statistics so far
              captions.jsonl        a line of captions for every latent
              captions.safetensors  the same as indices into captions that have gone through the text encoder

Encoding goes on where it was killed or where the disk was full. Old runs have all in `latents.safetensors`. A run that
has ended well needs them no more: `remove_latents`.
"""

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from jaxtyping import Float
from safetensors import SafetensorError
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from ddmi_core.autoencoder import Autoencoder
from ddmi_core.data.items import NumberedDraws
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.files import atomic_write, write_json
from ddmi_core.support.parsing import parse_json
from ddmi_core.support.processes import from_first
from ddmi_core.text import TextEmbedding, TextEncoder
from ddmi_core.training.autoencoder_stage import held_out_batch, open_mixture
from ddmi_core.training.config import RunConfig
from ddmi_core.training.latent_scale import ChannelStatistics, LatentScale
from ddmi_core.training.run_folder import RunFolder
from ddmi_core.training.tensor_file import (
    PartsFile,
    Rows,
    StoredRows,
    layouts,
    metadata_of,
    tensor_bytes,
)

_log = logging.getLogger(__name__)

ENCODE_BATCH = 32
SAY_SECONDS = 20.0
"""Seconds between two words about how far encoding has come."""

HELD_OUT = 64
CAPTIONS = 6
"""Of each example, as many as are kept."""
_EMBED_BATCH = 64
_SCALE_PART = 256  # latents that are in memory at once while an old file is measured


class EmbeddedTexts(NamedTuple):
    """Texts that have gone through the encoder, half precision; the first one is the empty text."""

    tokens: Rows
    mask: Rows
    pooled: Rows

    @classmethod
    def of(cls, texts: Sequence[str], encoder: TextEncoder) -> "EmbeddedTexts":
        """Encode texts, and keep them in memory."""
        parts = [encoder.encode(list(texts[i : i + _EMBED_BATCH])) for i in range(0, len(texts), _EMBED_BATCH)]
        return cls(
            torch.cat([part.tokens.half() for part in parts]),
            torch.cat([part.mask for part in parts]),
            torch.cat([part.pooled.half() for part in parts]),
        )

    def text(self, place: int) -> dict[str, Tensor]:
        """Return one of them by the names that batches have."""
        return {name: rows[place] for name, rows in self._asdict().items()}


def text_of(batch: Mapping[str, Tensor]) -> TextEmbedding:
    """Return the texts of a batch as the denoiser reads them."""
    return TextEmbedding(batch["tokens"].float(), batch["mask"], batch["pooled"].float())


class CachedLatents(NamedTuple):
    """Latents to learn from, each with captions.

    Attributes:
        latents: float16 (n, c, h, w), means of posteriors.
        log_variances: of the posteriors, if samples of them are learned from.
        captions: int64 (n, k), for every latent indices into `texts`.
        texts: all different captions.
        held_out: float16 (m, c, h, w), means of held-out examples, to measure on.
        scale: of the latents, channel by channel.
    """

    latents: Rows
    log_variances: Rows | None
    captions: Rows
    texts: EmbeddedTexts
    held_out: Rows
    scale: LatentScale

    @classmethod
    def without_captions(cls, latents: Rows, encoder: TextEncoder, scale: LatentScale) -> "CachedLatents":
        """Return latents that have no captions and are measured on themselves."""
        captions = torch.zeros(len(latents), 1, dtype=torch.int64)
        return cls(latents, None, captions, EmbeddedTexts.of([""], encoder), latents, scale)


class CaptionedLatents(Dataset[dict[str, Tensor]]):
    """Endless draws of a latent with one of its captions, the caption dropped now and then.

    Which rows are read is decided where they are read; noise and times are not part of what is read, see `Chance`.
    """

    def __init__(self, latents: CachedLatents, seed: int, drop_prompt: float) -> None:
        self.latents = latents
        self.seed = seed
        self.drop_prompt = drop_prompt

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self.seed, 2, number))
        known, texts = self.latents, self.latents.texts
        index = int(rng.integers(len(known.latents)))
        choices = known.captions[index]
        caption = int(choices[rng.integers(len(choices))])
        if rng.random() < self.drop_prompt:
            caption = 0
        draw = {"latent": known.latents[index], **texts.text(caption)}
        if known.log_variances is not None:
            draw["log_variance"] = known.log_variances[index]
        return draw


def cached_latents(
    config: RunConfig,
    autoencoder: Autoencoder,
    text_encoder: TextEncoder,
    run: RunFolder,
    accelerator: Accelerator,
    *,
    say: Callable[[str], None] = _log.info,
    between: Callable[[], object] = lambda: None,
) -> CachedLatents:
    """Encode `config.stage2.cached_latents` draws, or open what an earlier start of this run has encoded.

    Args:
        config: the run's.
        autoencoder: trained.
        text_encoder: of the captions.
        run: where they are kept.
        accelerator: of the processes that share the work; all open the same files.
        say: puts a message on record.
        between: called between the batches; may raise.

    Raises:
        DDMIError: they cannot be written, for example because the disk is full; what is there is kept.
    """
    store = _Store(config, autoencoder, run.cache)
    done = from_first(accelerator, store.begin(say) if accelerator.is_main_process else 0)
    if done < store.count:
        _encode(store, done, autoencoder, accelerator, say, between)
    if accelerator.is_main_process:
        store.complete()
    # One encodes captions; all go along, as they obey together
    with closing(store.embed(text_encoder, say)) as batches:
        while from_first(accelerator, next(batches, 0) if accelerator.is_main_process else 0):
            between()
    return store.open()


def remove_latents(run: RunFolder) -> int:
    """Remove the files of latents from a run folder; return how many bytes that gave back.

    Nothing may read them any more; what cannot be removed stays.
    """
    given_back = 0
    for file in (*run.cache.glob("latents.*"), *run.cache.glob("captions.*")):
        try:
            size = file.stat().st_size
            file.unlink()
        except OSError as error:
            _log.warning("%s cannot be removed: %s", file, error)
        else:
            given_back += size
    return given_back


class _Store:
    """The files that latents are kept in; of several processes the first one writes."""

    def __init__(self, config: RunConfig, autoencoder: Autoencoder, folder: Path) -> None:
        self.config, self.count = config, config.stage2.cached_latents
        self._autoencoder = autoencoder
        self._shape = autoencoder.canvas_shape
        self._path = folder / "latents.safetensors"
        self._partial = folder / "latents.partial"
        self._progress = folder / "latents.json"
        self._lines = folder / "captions.jsonl"
        self._captions = folder / "captions.safetensors"
        self._parts: PartsFile | None = None
        self._statistics = ChannelStatistics(self._shape[0])

    def begin(self, say: Callable[[str], None]) -> int:
        """Make the files ready; return how many latents there are already.

        Raises:
            DDMIError: there is no room for the rest.
        """
        identity = self._identity()
        if self._path.exists():
            problem = self._problem(identity)
            if problem is None:
                return self.count
            say(f"{self._path.name} {problem}: the latents are made anew")
            self._path.unlink()
        done = 0
        if self._partial.exists():
            try:
                if metadata_of(self._partial).get("identity") != identity:
                    say(f"{self._partial.name} is of another autoencoder or of other data: the latents are made anew")
                else:
                    progress = parse_json(self._progress.read_text(encoding="utf-8"))
                    self._statistics = ChannelStatistics.resumed(progress["statistics"])
                    done = int(progress["done"])
                    self._cut_captions(done)
                    say(f"{done:,} of {self.count:,} examples are encoded already")
            except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
                say(f"{self._partial.name} is damaged ({error}): the latents are made anew")
                done = 0
        self._check_room(done)
        if not done:
            self._statistics = ChannelStatistics(self._shape[0])
            held_out = encoded(self._autoencoder, held_out_batch(self.config, HELD_OUT))
        with self._writing(done):
            if not done:
                for file in (self._progress, self._partial, self._lines):
                    file.unlink(missing_ok=True)
                self._lines.touch()
            rows = (torch.float16, (self.count, *self._shape))
            tensors = {"held_out": (torch.float16, (HELD_OUT, *self._shape)), "latents": rows}
            if self.config.stage2.posterior_samples:
                tensors["log_variances"] = rows
            self._parts = PartsFile(self._partial, tensors, {"identity": identity})
            if not done:
                self._parts.write("held_out", 0, held_out.mean)
        return done

    def add(self, start: int, latents: "Encoded", captions: Sequence[Sequence[str]]) -> None:
        """Write a part so that it is there whatever happens next.

        Raises:
            DDMIError: it cannot be written.
        """
        assert self._parts is not None
        with self._writing(start):
            self._parts.write("latents", start, latents.mean)
            samples = self.config.stage2.posterior_samples
            if samples:
                self._parts.write("log_variances", start, latents.log_variance)
            self._parts.flush()
            with self._lines.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(texts, ensure_ascii=False) + "\n" for texts in captions)
                file.flush()
                os.fsync(file.fileno())
            self._statistics.add(latents.mean, latents.log_variance if samples else None)
            done = start + len(latents.mean)
            write_json(self._progress, {"done": done, "statistics": self._statistics.state()})

    def complete(self) -> None:
        """Give the file its name once all latents are there."""
        if self._parts is not None:
            with self._writing(self.count):
                self._partial.replace(self._path)

    def embed(self, encoder: TextEncoder, say: Callable[[str], None]) -> Generator[int, None, None]:
        """Put all captions through the text encoder, unless that has been done; yield how many are done.

        Raises:
            DDMIError: the result cannot be written.
        """
        source = self._lines if self._lines.exists() else self._path
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest() if source == self._lines else "in the latents"
        identity = f"{digest} {encoder.config.model_dump_json()}"
        try:
            layouts(self._captions)
            if metadata_of(self._captions).get("identity") == identity:
                return
        except (OSError, SafetensorError):
            pass  # absent or damaged, it is made again
        captions, texts = self._read_captions()
        say(f"encoding captions: {len(texts):,} different ones")
        with self._writing(self.count), atomic_write(self._captions) as temporary:
            embedded = EmbeddedTexts.of(texts[:1], encoder)
            rows = {"captions": (torch.int64, tuple(captions.shape))}
            rows |= {
                name: (tensor[0].dtype, (len(texts), *tensor.shape[1:])) for name, tensor in embedded._asdict().items()
            }
            parts = PartsFile(temporary, rows, {"identity": identity})
            parts.write("captions", 0, captions)
            progress = Telling("encoded", "captions", len(texts), say)
            for start in range(0, len(texts), _EMBED_BATCH):
                some = EmbeddedTexts.of(texts[start : start + _EMBED_BATCH], encoder)
                for name, tensor in some._asdict().items():
                    parts.write(name, start, tensor[:])
                done = start + len(some.mask)
                progress.tell(done)
                yield done

    def open(self) -> CachedLatents:
        """Return what is there once all of it is."""
        there = layouts(self._path)
        latents = StoredRows(self._path, "latents")
        samples = self.config.stage2.posterior_samples and "log_variances" in there
        log_variances = StoredRows(self._path, "log_variances") if samples else None
        return CachedLatents(
            latents,
            log_variances,
            StoredRows(self._captions, "captions"),
            EmbeddedTexts(*(StoredRows(self._captions, name) for name in EmbeddedTexts._fields)),
            StoredRows(self._path, "held_out"),
            self._scale(latents, log_variances),
        )

    def _scale(self, latents: Rows, log_variances: Rows | None) -> LatentScale:
        try:
            progress = parse_json(self._progress.read_text(encoding="utf-8"))
            if progress["done"] == self.count:
                return ChannelStatistics.resumed(progress["statistics"]).scale()
        except (OSError, ValueError, KeyError, TypeError):
            pass  # of an old run, or damaged
        statistics = ChannelStatistics(self._shape[0])
        for start in range(0, len(latents), _SCALE_PART):
            part = slice(start, start + _SCALE_PART)
            statistics.add(latents[part], None if log_variances is None else log_variances[part])
        return statistics.scale()

    def _identity(self) -> str:
        """Return a hash of all that the latents depend on: the autoencoder's weights, and what is drawn."""
        config = self.config
        digest = hashlib.sha256()
        for name, tensor in sorted(self._autoencoder.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor_bytes(tensor))
        drawn = {
            "count": self.count,
            "seed": config.seed,
            "domain": config.domain,
            "data": [part.model_dump(mode="json") for part in config.data],
            "stage1": config.stage1.model_dump(mode="json", include={"augment", "surface_noise", "queries"}),
            "posterior_samples": config.stage2.posterior_samples,
        }
        if config.stage2.augment is not None:
            drawn["augment"] = config.stage2.augment
        digest.update(json.dumps(drawn, sort_keys=True).encode())
        return digest.hexdigest()

    def _problem(self, identity: str) -> str | None:
        """Say what is wrong with finished latents."""
        try:
            there = layouts(self._path)
            known = metadata_of(self._path).get("identity")
        except (OSError, SafetensorError) as error:
            return f"is damaged ({error})"
        if known is not None:
            return None if known == identity else "is of another autoencoder or of other data"
        # Old runs do not say of what their latents are
        shape = (self.count, *self._shape)
        if "held_out" not in there or there["latents"].shape != shape or self.config.stage2.posterior_samples:
            return f"holds no {self.count:,} latents as run.yaml asks for"
        return None

    def _check_room(self, done: int) -> None:
        item = int(np.prod(self._shape)) * 2 * (2 if self.config.stage2.posterior_samples else 1)
        needed, free = item * (self.count - done), shutil.disk_usage(self._path.parent).free
        if needed > free:
            raise DDMIError(
                f"The latents that are still to be made take {needed / 1e9:.1f} GB, and {self._path.parent} has "
                f"{free / 1e9:.1f} GB left. Make room, then resume; or take fewer (stage2.cached_latents)."
            )

    def _cut_captions(self, count: int) -> None:
        """Leave the first lines of captions; a part that was being written is written again."""
        with self._lines.open("r+b") as file:
            for number in range(count):
                if not file.readline().endswith(b"\n"):
                    raise ValueError(f"{self._lines.name} has {number:,} lines")
            file.truncate(file.tell())

    def _read_captions(self) -> tuple[Tensor, list[str]]:
        """Return indices of every latent's captions, and the different ones, shortest first: the empty text leads.

        A batch of texts takes as long as its longest one.
        """
        known: dict[str, int] = {"": 0}
        if not self._lines.exists():  # an old run
            texts = metadata_of(self._path)["texts"].split("\n")
            places = torch.tensor([known.setdefault(text, len(known)) for text in texts])
            captions = places[StoredRows(self._path, "captions")[:]]
        else:
            with self._lines.open(encoding="utf-8") as file:
                rows = [[known.setdefault(text, len(known)) for text in json.loads(line)] for line in file]
            captions = torch.tensor(rows)
        ordered = sorted(known, key=len)
        ranks = {text: rank for rank, text in enumerate(ordered)}
        return torch.tensor([ranks[text] for text in known])[captions], ordered

    @contextmanager
    def _writing(self, done: int) -> Iterator[None]:
        """Say of what cannot be written that what is there is kept, and what to do."""
        try:
            yield
        except OSError as error:
            raise DDMIError(
                f"Latents cannot be written to {self._path.parent} ({error.strerror or error}). {done:,} of "
                f"{self.count:,} are kept: make room, or allow writing there, and resume."
            ) from error


class Telling:
    """Says now and then how many things are made, and how long the rest takes.

    Args:
        made: how they are made, such as "encoded".
        things: what.
        count: how many there will be.
        say: puts a message on record.
        done: how many were there at first.
    """

    def __init__(self, made: str, things: str, count: int, say: Callable[[str], None], done: int = 0) -> None:
        self._made, self._things, self._count, self._say, self._before = made, things, count, say, done
        self._began = self._said = time.monotonic()

    def tell(self, done: int) -> None:
        """Say it, unless it was said a moment ago."""
        now = time.monotonic()
        if now - self._said >= SAY_SECONDS:
            self._said = now
            left = (now - self._began) / (done - self._before) * (self._count - done)
            minutes = max(1, round(left / 60))
            self._say(f"{self._made} {done:,} of {self._count:,} {self._things}, about {minutes} min left")


class Encoded(NamedTuple):
    """Posteriors of a batch, float16, on the CPU."""

    mean: Float[Tensor, "b c h w"]
    log_variance: Float[Tensor, "b c h w"]


@torch.no_grad()
def encoded(autoencoder: Autoencoder, batch: dict[str, Tensor]) -> Encoded:
    """Return the posteriors of a batch."""
    device = next(autoencoder.parameters()).device
    on_device = {name: value.to(device) for name, value in batch.items()}
    posterior = autoencoder.posterior(on_device)
    return Encoded(*(part.half().cpu().contiguous() for part in (posterior.mean, posterior.log_variance)))


class _CaptionedDraws(Dataset[tuple[dict[str, Tensor], list[str]]]):
    """Draws with some of their captions, chosen once: what is drawn knows best what it shows."""

    def __init__(self, config: RunConfig) -> None:
        augment = config.stage2.augment or config.stage1.augment
        if augment == "full":
            augment = "captioned"
        self._draws = NumberedDraws(open_mixture(config, "train", for_diffusion=True), config.seed + 1, augment=augment)
        self._seed = config.seed + 2

    def __getitem__(self, number: int) -> tuple[dict[str, Tensor], list[str]]:
        example = self._draws[number]
        source, index, _ = self._draws.pick(number)
        return example, source.draw_captions(index, np.random.default_rng((self._seed, number)), CAPTIONS)


def _collated(items: list[tuple[dict[str, Tensor], list[str]]]) -> tuple[dict[str, Tensor], list[list[str]]]:
    examples, captions = zip(*items, strict=True)
    return default_collate(list(examples)), list(captions)


def _encode(
    store: _Store,
    done: int,
    autoencoder: Autoencoder,
    accelerator: Accelerator,
    say: Callable[[str], None],
    between: Callable[[], object],
) -> None:
    """Encode what is missing, a batch in every process at a time."""
    world, rank = accelerator.num_processes, accelerator.process_index
    starts = range(done, store.count, ENCODE_BATCH * world)

    def batches() -> Iterator[list[int]]:
        for start in starts:
            # Every process takes a batch of the same size, beyond the end the last draw again
            first = start + ENCODE_BATCH * rank
            yield [min(number, store.count - 1) for number in range(first, first + ENCODE_BATCH)]

    loader: Any = DataLoader(
        _CaptionedDraws(store.config),
        batch_sampler=list(batches()),
        num_workers=store.config.loader_workers,
        collate_fn=_collated,
    )
    progress = Telling("encoded", "examples", store.count, say, done)
    for start, (batch, captions) in zip(starts, loader, strict=True):
        between()
        latents = encoded(autoencoder, batch)
        together = Encoded(*(accelerator.gather(part.to(accelerator.device)).cpu() for part in latents))
        texts = gather_object(captions)
        count = min(ENCODE_BATCH * world, store.count - start)
        if accelerator.is_main_process:
            store.add(start, Encoded(*(part[:count] for part in together)), texts[:count])
        progress.tell(start + count)
