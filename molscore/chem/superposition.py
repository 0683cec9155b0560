"""One set of points laid over another."""

import warnings

import numpy as np


def best_fit(x: np.ndarray, onto: np.ndarray) -> tuple[np.ndarray, float]:
    """The rotation (3, 3) of the best fit of (n, 3) points, and their RMSD in Å; atoms in the same order.

    Source: Kabsch, Acta Cryst. A 32, 922 (1976).
    """
    from scipy.spatial.transform import Rotation  # it loads slowly, and few commands need it

    a, b = (points - points.mean(axis=0) for points in (x.astype(np.float64), onto.astype(np.float64)))
    if len(a) < 2:
        return np.eye(3), 0.0
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Optimal rotation is not uniquely")  # of atoms in a line
        turn, distance = Rotation.align_vectors(b, a)
    return turn.as_matrix(), float(distance) / len(a) ** 0.5
