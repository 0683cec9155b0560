"""PoseBusters: is the geometry that of a molecule? (Buttenschoen, Morris and Deane, Chem. Sci. 15, 3130, 2024)

The checks and thresholds are those of the package's own configurations: ``mol``, and ``mol_fast``, which leaves out the
energy ratio (fifty conformers of every molecule). They are run one after the other on each molecule, without the tables
and the file handling of the package's front door, which cost as much again.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import rdkit
import yaml
from rdkit import Chem

CONFIGS = ("mol_fast", "mol")
_LOGGER = logging.getLogger(__name__)


@cache
def _modules(name: str) -> tuple[tuple[Callable[..., dict[str, Any]], dict[str, Any], dict[str, str]], ...]:
    """(function, parameters, {output: name of the check}) for each module of a configuration."""
    from posebusters.posebusters import module_dict

    config = yaml.safe_load(files("posebusters").joinpath("config", f"{name}.yml").read_text(encoding="utf-8"))
    modules = []
    for module in config["modules"]:
        if "chosen_binary_test_output" not in module:  # the energy ratio stands in ``mol`` twice, once without
            continue
        names = module.get("rename_outputs", {})
        outputs = {key: _plain(names.get(key, key)) for key in module["chosen_binary_test_output"]}
        modules.append((module_dict[module["function"]], module.get("parameters", {}), outputs))
    return tuple(modules)


def _plain(name: str) -> str:
    return name.lower().replace(" ", "_")


def check_names(config: str = "mol_fast") -> list[str]:
    """Names of the checks, in the order of a configuration."""
    return [name for *_, outputs in _modules(config) for name in outputs.values()]


def bust(mol: Chem.Mol, config: str = "mol_fast") -> dict[str, bool]:
    """Runs every check on one molecule.

    Args:
        mol: sanitised, with one conformer; it is left as it is.
        config: one of `CONFIGS`.

    Returns:
        Check -> passed. A check that could not be run is not passed.
    """
    results: dict[str, bool] = {}
    modules = _modules(config)
    with _quiet("posebusters", "rdkit"):
        for function, parameters, outputs in modules:
            try:
                values = function(mol_pred=Chem.Mol(mol), **parameters)["results"]
            except Exception as error:  # one odd molecule must not end the evaluation of the others
                _LOGGER.warning(
                    "PoseBusters broke down (%r) in %s, counted as not passed", error, list(outputs.values())
                )
                values = {}
            results |= {name: _passed(values.get(key)) for key, name in outputs.items()}
    return results


@contextmanager
def _quiet(*names: str) -> Iterator[None]:
    """Holds back the messages of some loggers. PoseBusters sends RDKit's to one of them.

    It also flushes the stream that it left in RDKit's handler the time before, which fails if that was a standard error
    since closed (a notebook's, a test runner's); so the handler gets the present one.
    """
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    rdkit.log_handler.stream = sys.stderr
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _passed(value: object) -> bool:
    """Not-a-number stands for a check that could not be run."""
    return isinstance(value, (bool, np.bool_)) and bool(value)
