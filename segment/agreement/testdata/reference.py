"""Overlap and surface distances of masks by numpy and scipy, as JSON: reference.py > reference.json.

The masks are ellipsoids of whole numbers, so that another program draws the same ones. Surfaces
and distances are those of the usual tools (such as MedPy): the voxels that an erosion by the
six neighbours takes away, and scipy's exact distance transform.
"""
import json

import numpy as np
from scipy import ndimage

# Size, spacing, and for each mask a list of label, centre and semi-axes.
CASES = [
    ([40, 36, 9], [0.3125, 0.3125, 3.5], [[1, [18, 17, 4], [9, 7, 3]], [2, [30, 8, 2], [4, 5, 2]]], [[1, [19, 18, 4], [9, 8, 3]], [2, [30, 9, 3], [5, 4, 2]]]),
    ([25, 50, 30], [0.7, 0.365, 0.365], [[7, [12, 25, 15], [9, 20, 12]], [300, [12, 25, 15], [3, 9, 5]]], [[7, [11, 26, 14], [9, 19, 13]], [300, [14, 22, 15], [3, 8, 6]]]),
    ([30, 30, 1], [0.5, 0.5, 4], [[1, [14, 14, 0], [8, 5, 1]]], [[1, [15, 13, 0], [8, 6, 1]]]),
    ([12, 12, 12], [1, 1, 1], [[1, [0, 0, 0], [5, 5, 5]]], [[1, [11, 11, 11], [5, 5, 5]]]),
    ([60, 12, 8], [0.4, 1.1, 2.3], [[1, [8, 5, 3], [5, 4, 2]], [1, [50, 6, 4], [1, 1, 1]]], [[1, [10, 5, 3], [5, 4, 2]]]),
    ([20, 20, 20], [0.6, 0.6, 0.6], [[1, [10, 10, 10], [30, 30, 30]]], [[1, [9, 10, 10], [4, 4, 4]]]),
]


def drawn(size, shapes):
    i, j, k = np.meshgrid(*[np.arange(n) for n in size], indexing="ij")
    out = np.zeros(size, int)
    for label, c, a in shapes:
        inside = ((i - c[0]) * a[1] * a[2]) ** 2 + ((j - c[1]) * a[0] * a[2]) ** 2 + ((k - c[2]) * a[0] * a[1]) ** 2 <= (a[0] * a[1] * a[2]) ** 2
        out[inside] = label
    return out


def surface(x):
    return x & ~ndimage.binary_erosion(x, ndimage.generate_binary_structure(3, 1))


def distances(a, b, spacing):
    return ndimage.distance_transform_edt(~surface(b), sampling=spacing)[surface(a)]


def compared(a, b, label, spacing):
    x, y = a == label, b == label
    d = np.hstack([distances(x, y, spacing), distances(y, x, spacing)])
    return {
        "label": label, "voxels": [int(x.sum()), int(y.sum())], "common": int((x & y).sum()),
        "dice": 2 * int((x & y).sum()) / int(x.sum() + y.sum()),
        "mean": d.mean(), "p95": np.percentile(d, 95), "largest": d.max(),
    }


out = []
for size, spacing, first, second in CASES:
    a, b = drawn(size, first), drawn(size, second)
    labels = sorted(set(np.unique(a)) & set(np.unique(b)) - {0})
    out.append({"size": size, "spacing": spacing, "first": first, "second": second, "labels": [compared(a, b, int(n), spacing) for n in labels]})
print("[\n" + ",\n".join(json.dumps(x) for x in out) + "\n]")
