"""Writes NIfTI files with nibabel, an independent implementation, and prints
as JSON what nibabel itself reads back from each: name, shape and affine (RAS).
Voxel (i, j, k) of each file holds the label (i + 3j + 7k) % 11."""
import itertools
import json
import sys

import nibabel
import numpy

folder = sys.argv[1]
size = (5, 4, 3)
i, j, k = numpy.indices(size)
labels = (i + 3 * j + 7 * k) % 11


def oblique():
    """Spacing 0.3125, 0.4, 3.5 mm, turned by 20 degrees about x and 35 about z."""
    a, b = numpy.radians([20, 35])
    x = numpy.array([[1, 0, 0], [0, numpy.cos(a), -numpy.sin(a)], [0, numpy.sin(a), numpy.cos(a)]])
    z = numpy.array([[numpy.cos(b), -numpy.sin(b), 0], [numpy.sin(b), numpy.cos(b), 0], [0, 0, 1]])
    m = numpy.eye(4)
    m[:3, :3] = z @ x @ numpy.diag([0.3125, 0.4, 3.5])
    m[:3, 3] = [-61.5, 22.25, 7.125]
    return m


def orientations():
    """The 48 flips and permutations of the oblique grid's axes."""
    for axes in itertools.permutations(range(3)):
        for signs in itertools.product([1, -1], repeat=3):
            m = oblique()
            m[:3, :3] = m[:3, list(axes)] * signs
            yield "".join("ijk"[a] for a in axes) + "".join("+-"[s < 0] for s in signs), m


said = []


def save(name, dtype, affine, codes, endian="<", scale=None):
    header = nibabel.Nifti1Header(endianness=endian)
    header.set_data_dtype(dtype)
    header.set_xyzt_units("mm")
    data = labels if scale is None else labels * scale
    image = nibabel.Nifti1Image(data.astype(float if scale else dtype), None, header)
    image.set_qform(affine if codes[0] else None, codes[0])
    image.set_sform(affine if codes[1] else None, codes[1])
    nibabel.save(image, folder + "/" + name)
    image = nibabel.load(folder + "/" + name)
    said.append({"name": name, "shape": image.shape, "affine": image.affine[:3].tolist(), "scale": scale or 1})


for name, affine in orientations():
    save("qform_" + name + ".nii", numpy.uint8, affine, (1, 0))
    save("sform_" + name + ".nii", numpy.uint8, affine, (0, 1))
for dtype in "u1 i1 i2 u2 i4 u4 i8 u8 f4 f8".split():
    for endian in "<>":
        save("type_%s_%d.nii.gz" % (dtype, endian == ">"), numpy.dtype(dtype).type, oblique(), (1, 2), endian)
# nibabel chooses scl_slope and scl_inter itself for real numbers in integers.
save("scaled.nii.gz", numpy.int16, oblique(), (2, 2), scale=0.37)
json.dump(said, sys.stdout)
