"""Whether the paper's recipes train at full size: two steps of both stages at batch 1, each in a process of its own.

    python -m benchmarks.paper_presets [--only paper-afhq]

The data sets themselves are large; the starter set of the domain stands in for them. Prints what `ddmi trial` prints as
a JSON object a recipe: parameters, seconds of a step and the most memory in use, weights, AdamW's moments and the
average included.
"""

import json
import subprocess
import sys
import tempfile

import tyro

from ddmi_core.domains import get_domain
from ddmi_core.training.config import RunConfig, preset_names

PREFIX = "paper-"


def main(only: tuple[str, ...] = (), device: str = "cpu") -> int:
    """Train a little by each of the paper's recipes.

    Args:
        only: names of recipes; otherwise all of the paper's.
        device: cpu or cuda.
    """
    failed = 0
    for name in only or [name for name in preset_names() if name.startswith(PREFIX)]:
        config = RunConfig.from_preset(name)
        data = f"data=[{{source: {get_domain(config.domain).starter_sets[0]}, weight: 1}}]"
        small = config.with_overrides([data, "stage1.batch=1", "stage2.batch=1"])
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            file.write(small.to_yaml())
            file.flush()
            command = ["-m", "ddmi_core.cli", "trial", "--config", file.name, "--seconds", "1", "--device", device]
            done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
        failed += done.returncode != 0
        found = json.loads(done.stdout) if done.returncode == 0 else {"failed": done.stderr.strip().splitlines()[-1:]}
        print(json.dumps({"benchmark": "paper_presets", "preset": name, **found}), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(tyro.cli(main))
