"""Every study of the theory: a figure and a JSON file each, and a page of results.

    python scripts/theory.py --out data/theory
    python scripts/theory.py --only compass flow

Each study lies in ``scripts/studies``, with what it shows in its first sentence, and runs the code of `molscore.core`.
"""

import argparse
import json
import textwrap
import time
from importlib import import_module
from pathlib import Path

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

STUDIES = (
    "compass",
    "denoising",
    "hyvarinen",
    "implicit_bias",
    "conservative",
    "flow",
    "dimension",
    "overfitting",
    "batch_norm",
    "bayes",
)


def main() -> None:
    """Runs the studies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=STUDIES, default=STUDIES)
    parser.add_argument("--out", type=Path, default=Path("data/theory"))
    words = parser.parse_args()
    words.out.mkdir(parents=True, exist_ok=True)
    for name in words.only:
        torch.manual_seed(0)
        study, began = import_module(f"studies.{name}"), time.perf_counter()
        result = study.run()
        figure = Figure(figsize=(10, 4), layout="constrained")
        FigureCanvasAgg(figure)
        study.draw(result, figure)
        figure.savefig(words.out / f"{name}.png", dpi=110)
        result = {"study": study.__doc__.splitlines()[0], "torch": torch.__version__, **result}
        (words.out / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    (words.out / "README.md").write_text(page(words.out))


def page(folder: Path) -> str:
    """The results of the studies whose files are in a folder."""
    parts = ["# The theory, checked\n\nWritten by `python scripts/theory.py`; the studies lie in `scripts/studies`.\n"]
    for name in STUDIES:
        if (file := folder / f"{name}.json").is_file():
            result = json.loads(file.read_text())
            text = textwrap.fill(import_module(f"studies.{name}").summary(result), 119)
            parts.append(f"## {name.replace('_', ' ')}\n\n{result['study']}\n\n{text}\n\n![{name}]({name}.png)\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main()
