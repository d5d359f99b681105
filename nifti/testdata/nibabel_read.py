"""Reads the maps in a folder with nibabel, an independent implementation, and
prints as JSON how it sees each. NAME.raw beside NAME.nii.gz holds the values
as little-endian float32, i fastest."""
import glob
import json
import sys

import nibabel
import numpy

said = {}
for path in sorted(glob.glob(sys.argv[1] + "/*.nii.gz")):
    image = nibabel.load(path)
    header = image.header
    raw = numpy.fromfile(path.replace(".nii.gz", ".raw"), "<f4")
    said[path.replace("\\", "/").split("/")[-1]] = {
        "shape": image.shape,
        "affine": image.affine[:3].tolist(),
        "qform": header.get_qform()[:3].tolist(),
        "codes": [int(header["qform_code"]), int(header["sform_code"])],
        "dtype": header.get_data_dtype().str,
        "unit": header.get_xyzt_units()[0],
        "same": numpy.array_equal(image.get_fdata(dtype=numpy.float32).ravel(order="F"), raw, equal_nan=True),
        "description": header["descrip"].item().decode(),
    }
json.dump(said, sys.stdout)
