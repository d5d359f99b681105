"""Marks the voxels between two thresholds: 1 medial, 2 lateral to the middle of a right knee."""
import sys

import nibabel
import numpy

low, high = float(sys.argv[1]), float(sys.argv[2])
image = nibabel.load(sys.argv[3])
signal = numpy.asarray(image.dataobj)
between = (signal > low) & (signal < high)
indices = numpy.moveaxis(numpy.indices(signal.shape), 0, -1)
x = nibabel.affines.apply_affine(image.affine, indices)[..., 0]  # in mm, to the right
labels = numpy.where(x < x.mean(), 1, 2) * between
nibabel.save(nibabel.Nifti1Image(labels.astype(numpy.uint8), image.affine), sys.argv[4])
