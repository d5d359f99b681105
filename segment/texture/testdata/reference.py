"""Textures by scikit-image, as JSON: reference.py > reference.json.

The images are whole numbers from a formula, so that another program makes the same ones. A mask
is an explicit level 0, whose row and column are dropped from the matrix: scikit-image has no masks.
The matrices of the directions and slices are added before they are divided by their sum. The
diagonal neighbour at distance d is d columns and d rows away, which scikit-image calls d·√2.
"""
import json

import numpy as np
from skimage.feature import graycomatrix, graycoprops

# Columns, rows, slices, levels, distance, roughness, and the part in 8 that is outside.
CASES = [
    (24, 20, 1, 8, 1, 1, 0), (24, 20, 1, 32, 1, 5, 0), (17, 33, 3, 32, 1, 3, 0), (24, 20, 2, 32, 2, 7, 0), (40, 8, 1, 256, 1, 50, 0),
    (24, 20, 1, 8, 1, 1, 2), (30, 26, 4, 32, 1, 4, 3), (30, 26, 4, 32, 3, 4, 1), (12, 50, 2, 16, 1, 2, 5),
]
NAMES = ["contrast", "dissimilarity", "homogeneity", "ASM", "energy", "correlation"]


def image(nx, ny, nz, levels, rough, outside):
    """Levels from 1 on, 0 outside: a slope with steps, and noise from a linear congruence."""
    out = np.zeros((nz, ny, nx), int)
    state = 12345
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                state = (state * 1103515245 + 12345) % 2**31
                noise = (state >> 16) % (2 * rough + 1) - rough
                level = (i * levels // nx + 2 * (j * levels // ny)) // 3 + k + noise
                if (state >> 10) % 8 >= outside:
                    out[k, j, i] = 1 + min(max(level, 0), levels - 1)
    return out


def texture(case):
    nx, ny, nz, levels, distance, rough, outside = case
    total = np.zeros((levels, levels))
    for slice_ in image(nx, ny, nz, levels, rough, outside):
        for d, angles in [(distance, [0, np.pi / 2]), (distance * np.sqrt(2), [np.pi / 4, 3 * np.pi / 4])]:
            # Levels of up to 257 need more than 8 bits.
            m = graycomatrix(slice_.astype(np.uint16), [d], angles, levels=levels + 1, symmetric=True, normed=False)
            total += m[1:, 1:].sum(axis=(2, 3))
    p = total / total.sum()
    found = {name: float(graycoprops(p[:, :, None, None], name)[0, 0]) for name in NAMES}
    found["entropy"] = float(-np.sum(p[p > 0] * np.log(p[p > 0])))  # graycoprops has it since 0.25 only
    found["pairs"] = int(total.sum()) // 2
    return {"case": case, **found}


print("[\n" + ",\n".join(json.dumps(texture(c)) for c in CASES) + "\n]")
