#!/usr/bin/env python3
"""Writes one label map of 5 x 4 x 3 voxels, oblique, with SimpleITK 2.5.7 and pynrrd 1.1.3 into the
testdata folders of nrrd and metaimage, and the values that SimpleITK reads from it to labels.json: the
labels in the order of the file, and the positions (mm, LPS) of the first and the last voxel."""
import json, os
import numpy as np
import nrrd
import SimpleITK as sitk

here = os.path.dirname(os.path.abspath(__file__))
other = os.path.join(here, "..", "..", "metaimage", "testdata")
a = (np.arange(60) * 7 % 11).astype(np.uint8).reshape(3, 4, 5)  # k, j, i
image = sitk.GetImageFromArray(a)
image.SetSpacing((0.365, 0.4, 0.7))
image.SetOrigin((-6.65, -77.4, 70))
turn = sitk.Euler3DTransform((0, 0, 0), 0.3, -0.2, 1.4)
image.SetDirection(turn.GetMatrix())
said = {
    "size": list(image.GetSize()), "labels": [int(v) for v in a.ravel()],
    "first": image.TransformIndexToPhysicalPoint((0, 0, 0)), "last": image.TransformIndexToPhysicalPoint((4, 3, 2)),
}
for folder in (here, other):
    with open(os.path.join(folder, "labels.json"), "w") as f:
        json.dump(said, f)
        f.write("\n")
for name, kind, packed in (("itk.nrrd", sitk.sitkUInt8, True), ("itk-int16.nrrd", sitk.sitkInt16, False), ("itk.nhdr", sitk.sitkFloat32, True)):
    sitk.WriteImage(sitk.Cast(image, kind), os.path.join(here, name), packed)
for name, kind, packed in (("itk.mha", sitk.sitkUInt8, True), ("itk-int16.mha", sitk.sitkInt16, False), ("itk.mhd", sitk.sitkFloat64, True), ("itk-int64.mhd", sitk.sitkInt64, False)):
    sitk.WriteImage(sitk.Cast(image, kind), os.path.join(other, name), packed)

flip = np.diag([-1.0, -1.0, 1.0])
axes = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
ras = {"space": "right-anterior-superior", "space directions": (flip @ axes).T, "space origin": flip @ np.array(image.GetOrigin()), "kinds": ["domain"] * 3}
f = a.transpose(2, 1, 0)  # i, j, k
nrrd.write(os.path.join(here, "pynrrd-ras.nrrd"), f.astype(">i4"), {**ras, "encoding": "bzip2", "endian": "big"})
nrrd.write(os.path.join(here, "pynrrd-ascii.nrrd"), f.astype("<f8"), {**ras, "encoding": "ascii"})
nrrd.write(os.path.join(here, "pynrrd.nhdr"), f.astype("<u2"), {**ras, "encoding": "raw"}, detached_header=True)
