"""`ddmi data`: look into data sets."""

import itertools
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from ddmi_core.cli.terminal import Flag, Meter, print_json, require
from ddmi_core.support.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Prepare:
    """Draw all portraits ahead, so that a training on them need not; takes half an hour of one processor, and 0.4 GB.

    Attributes:
        processes: how many share the work; as many as there are processors if not given.
    """

    processes: int | None = None

    def run(self) -> None:
        """Do it."""
        from ddmi_core.data.portraits.rasters import draw_ahead
        from ddmi_core.data.portraits.storage import shipped_portraits

        require(self.processes is None or self.processes >= 1, "--processes must be 1 or more.")
        with Meter() as meter:
            draw_ahead(range(len(shipped_portraits())), processes=self.processes, progress=meter)


@dataclass(frozen=True, kw_only=True)
class Check:
    """Say which published data set a folder is, what it holds and what is wrong with it; exit with 1 if unusable.

    Attributes:
        path: the data set's root folder.
        json: print a JSON object.
    """

    path: Positional[Path]
    json: Flag = False

    def run(self) -> None:
        """Do it."""
        from ddmi_core.data.layout_check import check_layout

        with Meter() as meter:
            found = check_layout(self.path, meter)
        if self.json:
            problems = [{"path": str(one.path), "reason": one.reason} for one in found.unusable]
            print_json({**vars(found), "unusable": problems, "usable": found.usable})
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
            raise DataError(f"{self.path} holds nothing to train on.")
