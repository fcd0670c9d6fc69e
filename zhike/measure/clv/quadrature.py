"""Rules of integration: the expectation of a smooth function under a beta distribution, and over an interval."""

from __future__ import annotations

import functools

import numpy as np
from scipy.linalg import eigh_tridiagonal

from zhike.measure.clv.histories import Floats

NODES = 192


@functools.lru_cache(maxsize=4096)
def beta_nodes(a: float, b: float, nodes: int = NODES) -> tuple[Floats, Floats]:
    """Return places p in (0, 1) and shares adding up to 1 with E f(p) ≈ f(places) @ shares for p ~ Beta(a, b).

    Gauss-Jacobi by the eigenvalues of the Jacobi matrix (Golub & Welsch 1969), exact for polynomials of degree
    2 · nodes - 1. The shares are the squares of the first components, so nothing overflows for large a or b.
    """
    left, right = a - 1, b - 1  # Powers of p and of 1 - p.
    k = np.arange(1, nodes, dtype=np.float64)
    s = 2 * k + left + right
    diagonal = np.empty(nodes)
    diagonal[0] = (left - right) / (left + right + 2)
    diagonal[1:] = (left**2 - right**2) / (s * (s + 2))
    beside = np.empty(nodes - 1)
    beside[0] = 4 * (1 + left) * (1 + right) / ((2 + left + right) ** 2 * (3 + left + right))
    k, s = k[1:], s[1:]
    beside[1:] = 4 * k * (k + left) * (k + right) * (k + left + right) / (s**2 * (s**2 - 1))
    places, vectors = eigh_tridiagonal(diagonal, np.sqrt(beside))
    return np.clip((1 + places) / 2, 1e-300, 1.0), vectors[0] ** 2


@functools.cache
def interval_nodes(nodes: int) -> tuple[Floats, Floats]:
    """Return places in (0, 1) and shares adding up to 1: Gauss-Legendre."""
    places, shares = np.polynomial.legendre.leggauss(nodes)
    return (1 + places) / 2, shares / 2


@functools.cache
def endless_nodes(nodes: int) -> tuple[Floats, Floats]:
    """Return places in (0, ∞) and shares with ∫ f(v) e^-v dv ≈ f(places) @ shares: Gauss-Laguerre."""
    places, shares = np.polynomial.laguerre.laggauss(nodes)
    return places, shares
