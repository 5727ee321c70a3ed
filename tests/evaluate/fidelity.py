"""Prints the expected values of fidelity_test.ts: scikit-learn's distances in the formulas of prdc 0.2 (Naeem et al.).

The distances are scipy's, which takes differences first as it should be where distances tie; scikit-learn's
euclidean_distances expands the square, and is compared where nothing ties."""

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors


def prdc(real, fake, k):
    # NearestNeighbors of the points themselves leaves out each point by its index, not by its distance.
    radii = [NearestNeighbors(n_neighbors=k, algorithm="brute").fit(x).kneighbors()[0][:, -1] for x in (real, fake)]
    kth = [np.sort(cdist(x, x), axis=1)[:, k] for x in (real, fake)]
    for a, b in zip(radii, kth):
        assert np.allclose(a, b, atol=1e-7)
    real_radii, fake_radii = kth
    d = cdist(real, fake)
    assert np.allclose(d, pairwise_distances(real, fake), atol=1e-7)
    inside = d < real_radii[:, None]
    return (
        inside.any(axis=0).mean(),
        (d < fake_radii[None, :]).any(axis=1).mean(),
        inside.sum(axis=0).mean() / k,
        (d.min(axis=1) < real_radii).mean(),
    )


def scattered(rows, dimension, first):
    i = np.arange(first, first + rows * dimension, dtype=np.uint64)
    return ((i * i * 7919 + i * 104729) % 1009 / 1009).astype(np.float32).astype(float).reshape(rows, dimension)


def grid(rows, first):
    i = np.arange(first, first + rows)
    return np.stack([i * i % 3, (i * 5 + i * i * i) % 4], axis=1).astype(float)


def line(*values):
    return np.array(values, float)[:, None]


middle = (0.25 + 0.5 * scattered(40, 3, 500)).astype(np.float32).astype(float)
print("scattered", prdc(scattered(60, 3, 1), middle, 5))
print("scattered, 200 x 130", prdc(scattered(200, 7, 3), scattered(130, 7, 4000), 3))
print("grid", prdc(grid(20, 0), grid(15, 4), 2), prdc(grid(20, 0), grid(15, 4), 3), prdc(grid(20, 0), 1 + grid(15, 4), 4))
print("line", prdc(line(0, 1, 2, 4, 8, 16), line(0.5, 3, 9, 100), 1), prdc(line(0, 1, 2, 4, 8, 16), line(0.5, 3, 9, 100), 2))
print("touching", prdc(line(0, 1, 10, 11), line(-1, 12), 1))
print("same", prdc(scattered(60, 3, 1), scattered(60, 3, 1), 5))
print("copies", prdc(np.repeat(scattered(5, 2, 1), 4, axis=0), scattered(5, 2, 1), 3))
train, held, made = scattered(80, 2, 1), scattered(31, 2, 700), scattered(23, 2, 2000) * 0.5
near = [cdist(x, train) for x in (made, held)]
print("nearest", near[0].argmin(axis=1)[:6].tolist(), near[0].min(axis=1)[:3].tolist())
a, b = near[0].min(axis=1), near[1].min(axis=1)
print("copying", mannwhitneyu(b, a).statistic / (len(a) * len(b)))
a, b = np.array([0, 0, 1, 2, 2, 3.0]), np.array([0, 1, 1, 2, 4.0])
print("copying with ties", mannwhitneyu(b, a).statistic / (len(a) * len(b)))
v = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3.0])
print("percentiles", np.percentile(v, [2.5, 97.5]).tolist())
