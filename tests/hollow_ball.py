"""A protein with one pocket: a hollow ball of carbon, and a backbone outside of it."""

import numpy as np

CENTRE = np.array([60.0, -20.0, 35.0])
SITE = ",".join(map(str, CENTRE))


def write_ball(path, radius=7.5):
    """A PDB file of it, about `CENTRE`; the path."""
    k = np.arange(300)
    z, angle = 1 - (2 * k + 1) / 300, np.pi * (3 - np.sqrt(5)) * k
    sphere = np.stack([np.sqrt(1 - z**2) * np.cos(angle), np.sqrt(1 - z**2) * np.sin(angle), z], axis=1)
    rows = [(f" {name}", "GLY", 1, CENTRE + (12 + 1.45 * n, 0, 0)) for n, name in enumerate(["N", "CA", "C"])]
    rows += [(" CB", "ALA", number + 2, place) for number, place in enumerate(CENTRE + radius * sphere)]
    path.write_text("".join(_line(n + 1, *row) for n, row in enumerate(rows)) + "END\n")
    return path


def _line(k, name, residue, number, xyz):
    place = "".join(f"{x:8.3f}" for x in xyz)
    return f"ATOM  {k:5} {name:<4} {residue:>3} A{number:4}    {place}  1.00  0.00          {name.strip()[0]:>2}\n"
