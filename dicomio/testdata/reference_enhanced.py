"""Frames of an enhanced MR object as pydicom and numpy read them, for TestRealEnhanced.

python3 reference_enhanced.py enhanced.dcm.gz > reference_enhanced.json

needs pydicom and numpy. For every frame: ComplexImageComponent, echo time in ms,
position in mm, rescale slope and intercept, and of the rescaled pixels as float32,
little endian, the sum and the SHA-256.
"""

import gzip
import hashlib
import io
import json
import sys

import numpy as np
import pydicom


def group(dataset, frame, sequence):
    """Return the functional group of the frame, or the shared one."""
    for groups in (dataset.PerFrameFunctionalGroupsSequence[frame], dataset.SharedFunctionalGroupsSequence[0]):
        if sequence in groups:
            return groups[sequence].value[0]
    raise KeyError(sequence)


with gzip.open(sys.argv[1]) as f:
    d = pydicom.dcmread(io.BytesIO(f.read()))
stored = d.pixel_array
frames = []
for n in range(int(d.NumberOfFrames)):
    transform = group(d, n, "PixelValueTransformationSequence")
    slope, intercept = float(transform.RescaleSlope), float(transform.RescaleIntercept)
    values = (stored[n].astype(np.float64) * slope + intercept).astype("<f4")
    frames.append({
        "type": str(group(d, n, "MRImageFrameTypeSequence").ComplexImageComponent),
        "te": float(group(d, n, "MREchoSequence").EffectiveEchoTime),
        "position": [float(v) for v in group(d, n, "PlanePositionSequence").ImagePositionPatient],
        "slope": slope,
        "intercept": intercept,
        "sum": float(values.sum(dtype=np.float64)),
        "sha256": hashlib.sha256(values.tobytes()).hexdigest(),
    })
print("[" + ",\n".join(json.dumps(f) for f in frames) + "]")
