"""The options of all commands in groups, for their help."""

GROUPS: dict[str, tuple[str, ...]] = {
    "Input": (
        "form",
        "smiles_column",
        "name_column",
        "encoding",
        "structure",
        "reference",
        "training",
        "ph",
    ),
    "Output": (
        "out",
        "top",
        "everything",
        "rejects",
        "problems",
        "report",
        "json_file",
        "trajectory",
        "plot",
        "resume",
        "overwrite",
        "shard_size",
        "chunk",
        "v3000",
    ),
    "Sampling": (
        "conformers",
        "n",
        "model",
        "seed",
        "steps",
        "sampler",
        "atoms",
        "batch_size",
        "raw",
        "method",
        "oversampling",
    ),
    "Completion": (
        "keep",
        "scaffold",
        "attach",
        "link",
        "anchors",
        "replace",
        "lead",
        "near",
        "noise",
        "elements",
    ),
    "Shape": ("like", "features", "particles", "given"),
    "Protein": ("pocket", "site"),
    "Geometry and energy": ("relax", "energy", "window", "rmsd", "fill", "relaxation", "xtb", "uncertainty"),
    "Chemistry": ("stereo", "max_isomers", "fragments", "fallback", "hydrogens"),
    "Targets": ("target",),
    "Filters": ("filter_", "must_match", "must_not_match"),
    "Machine and time": ("device", "workers", "ray", "seconds"),
    "This run": ("quiet", "log_file", "config_file", "help"),
}
"""Title: names of parameters. What is in none stands under `REST`, before the last group."""

REST = "Options"

ORDER = ("Arguments", *list(GROUPS)[:-1], REST, list(GROUPS)[-1])


def group_of(parameter: str) -> str:
    """The title under which a parameter stands."""
    return next((title for title, names in GROUPS.items() if parameter in names), REST)
