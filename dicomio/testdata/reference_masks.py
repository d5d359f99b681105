"""The voxels of every segment of the public DICOM masks, without t2map.

    python3 reference_masks.py DATA > reference_masks.json

DATA is the folder that holds highdicom, dcmqi, pydicom and rtstruct. Needs pydicom
and numpy; files in JPEG 2000 need pylibjpeg-openjpeg too, and are
left out where they are absent.

The ways are others than t2map's. Segmentations: bits by numpy.unpackbits or values
as stored, laid into a volume by the rank of the frame's distance along the normal.
Structure sets: for each voxel's centre the winding number around each contour, by
the sum of the angles that its edges are seen under; and its distance to each edge.
The grids are made of the segmentations' own frames, for their images are not
public, or chosen for the structure sets; they stand in the result.

Fractional values count from a fraction of the maximum on, half of it where nothing
else stands. Per segment: the number of
voxels, and the SHA-256 of their indices i + nx (j + ny k), increasing, as 32-bit
little-endian words.
"""

import hashlib
import json
import os
import sys
import warnings
import zlib

import numpy as np
import pydicom
from pydicom.encaps import generate_pixel_data_frame

warnings.simplefilter("ignore")

SEGMENTATIONS = [
    "highdicom/seg_image_ct_binary.dcm",
    "highdicom/seg_image_ct_binary_overlap.dcm",
    "highdicom/seg_image_ct_true_fractional.dcm",
    "dcmqi/partial_overlaps.dcm",
    "dcmqi/sparse-labelmap-ppv5.dcm",
    "dcmqi/24x38x3/seg/label.seg",
    "dcmqi/sr-example/seg.dcm",
    "pydicom/liver.dcm",
    "pydicom/liver_1frame.dcm",
    "pydicom/liver_deflate.dcm",
    "pydicom/liver_expb.dcm",
    "pydicom/liver_j2k.dcm",
    "pydicom/liver_nonbyte_aligned.dcm",
    "pydicom/liver_nonbyte_aligned_deflate.dcm",
    "pydicom/liver_nonbyte_aligned_j2k.dcm",
    "pydicom/liver_nonbyte_aligned_rle.dcm",
    "pydicom/liver_rle.dcm",
]

# Name, file, size and affine of the grid: one with centres on the contours and
# one without, and one for the structure set of a treatment planning system.
STRUCTURES = [
    ("rtstruct/rt.dcm", "rtstruct/rt.dcm", (80, 80, 4), [[1, 0, 0, -70], [0, 1, 0, -70], [0, 0, 60, 0]]),
    ("rtstruct/rt.dcm, turned", "rtstruct/rt.dcm", (120, 90, 3), [[0, -0.9, 0, 18.3], [0.7, 0, 0, -71.7], [0, 0, 60, 0]]),
    ("pydicom/rtstruct.dcm", "pydicom/rtstruct.dcm", (90, 70, 5), [[5, 0, 0, -221], [0, 5, 0, -171], [0, 0, 10, -210]]),
]

ON = 1e-3  # voxels: so near to a contour, a centre is on it


def only(sequence):
    (item,) = sequence
    return item


DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
RLE = "1.2.840.10008.1.2.5"
JPEG2000 = ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")


def unpack_frame(syntax, frame):
    """The packed bits of a frame (PS3.5 A.4.13 and annex G, one segment)."""
    if syntax == DEFLATED_FRAMES:
        return zlib.decompressobj(-15).decompress(frame)
    segments, first = np.frombuffer(frame[:8], "<u4")
    assert segments == 1
    out, at = bytearray(), int(first)
    while at < len(frame) - 1:
        n = frame[at]
        if n < 128:
            out += frame[at + 1 : at + n + 2]
            at += n + 2
        else:
            out += frame[at + 1 : at + 2] * (257 - n) if n > 128 else b""
            at += 2 if n > 128 else 1
    return bytes(out)


def frames(d):
    """The stored values of the frames, one array of rows × columns each."""
    count, rows, columns = int(d.get("NumberOfFrames", 1)), d.Rows, d.Columns
    syntax = d.file_meta.TransferSyntaxUID
    if syntax in (DEFLATED_FRAMES, RLE):
        assert d.BitsAllocated == 1
        raw = [np.frombuffer(unpack_frame(syntax, f), np.uint8) for f in generate_pixel_data_frame(d.PixelData, count)]
        return [np.unpackbits(f, bitorder="little")[: rows * columns].reshape(rows, columns) for f in raw]
    if syntax in JPEG2000:
        try:
            import openjpeg
        except ImportError:
            return None
        raw = generate_pixel_data_frame(d.PixelData, count)
        return [openjpeg.decode(f).reshape(rows, columns) for f in raw]
    data = np.frombuffer(d.PixelData, np.uint8)
    if not syntax.is_little_endian and d["PixelData"].VR == "OW":
        data = data.reshape(-1, 2)[:, ::-1].ravel()
    if d.BitsAllocated == 1:
        data = np.unpackbits(data, bitorder="little")
    elif d.BitsAllocated == 16:
        data = data.view("<u2")
    return list(data[: count * rows * columns].reshape(count, rows, columns))


def macro(d, frame, name):
    for group in (frame, only(d.SharedFunctionalGroupsSequence)):
        if name in group:
            return only(group[name].value)
    raise KeyError(name)


def summary(inside):
    """inside[k, j, i]"""
    voxels = np.flatnonzero(inside).astype("<u4")
    return {"voxels": int(voxels.size), "sha256": hashlib.sha256(voxels.tobytes()).hexdigest()}


def segmentation(path, threshold):
    d = pydicom.dcmread(path)
    groups = d.PerFrameFunctionalGroupsSequence
    if len(groups) != int(d.get("NumberOfFrames", 1)):
        return {"refused": "PerFrameFunctionalGroupsSequence (5200,9230): %d items for %d frames" % (len(groups), d.get("NumberOfFrames", 1))}
    values = frames(d)
    if values is None:
        return None
    at = np.array([[float(v) for v in macro(d, g, "PlanePositionSequence").ImagePositionPatient] for g in groups])
    turn = np.array([[float(v) for v in macro(d, g, "PlaneOrientationSequence").ImageOrientationPatient] for g in groups])
    step = np.array([[float(v) for v in macro(d, g, "PixelMeasuresSequence").PixelSpacing] for g in groups])
    assert (turn == turn[0]).all() and (step == step[0]).all()
    along, down = turn[0, :3], turn[0, 3:]
    normal = np.cross(along, down)
    depth = at @ normal
    levels = np.unique(np.round(depth, 3))
    gap = np.diff(levels).min() if len(levels) > 1 else float(macro(d, groups[0], "PixelMeasuresSequence").SliceThickness)
    slot = np.rint((depth - depth.min()) / gap).astype(int)
    size = (int(d.Columns), int(d.Rows), int(slot.max()) + 1)
    affine = np.column_stack([along * step[0, 1], down * step[0, 0], normal * (depth.max() - depth.min()) / max(slot.max(), 1) if slot.max() else normal * gap, at[depth.argmin()]])
    segments = {}
    for s in d.SegmentSequence:
        code = only(s.SegmentedPropertyTypeCodeSequence)
        if (code.CodeValue, code.CodingSchemeDesignator) == ("125040", "DCM"):
            continue  # the background of a label map
        inside = np.zeros(size[::-1], bool)
        for k, g, v in zip(slot, groups, values):
            if d.SegmentationType == "LABELMAP":
                inside[k] |= v == s.SegmentNumber
            elif macro(d, g, "SegmentIdentificationSequence").ReferencedSegmentNumber == s.SegmentNumber:
                inside[k] |= v / d.MaximumFractionalValue >= threshold if d.SegmentationType == "FRACTIONAL" else v == 1
        segments[str(s.SegmentNumber)] = summary(inside)
    return {"size": size, "affine": affine.tolist(), "segments": segments}


def winding(x, y, polygon):
    """How many times the polygon goes around each of the points."""
    total = np.zeros(x.shape)
    for (ax, ay), (bx, by) in zip(polygon, np.roll(polygon, -1, 0)):
        ax, ay, bx, by = ax - x, ay - y, bx - x, by - y
        total += np.arctan2(ax * by - ay * bx, ax * bx + ay * by)
    return np.rint(total / (2 * np.pi)).astype(int)


def distance(x, y, polygon):
    """How far each of the points is from the nearest edge."""
    least = np.full(x.shape, np.inf)
    for a, b in zip(polygon, np.roll(polygon, -1, 0)):
        d = b - a
        t = np.clip(((x - a[0]) * d[0] + (y - a[1]) * d[1]) / max(d @ d, 1e-300), 0, 1)
        least = np.minimum(least, np.hypot(x - a[0] - t * d[0], y - a[1] - t * d[1]))
    return least


def structures(path, size, affine):
    d = pydicom.dcmread(path, force=True)
    inverse = np.linalg.inv(np.vstack([affine, [0, 0, 0, 1]]))
    x, y = np.meshgrid(np.arange(size[0], dtype=float), np.arange(size[1], dtype=float))
    drawn = {int(c.ReferencedROINumber): c.get("ContourSequence", []) for c in d.ROIContourSequence}
    segments = {}
    for roi in d.StructureSetROISequence:
        contours = drawn.get(int(roi.ROINumber), [])
        odd, on = np.zeros(size[::-1], int), np.zeros(size[::-1], bool)
        if any(c.ContourGeometricType != "CLOSED_PLANAR" for c in contours):
            segments[str(roi.ROINumber)] = {"refused": "encloses no area"}
            continue
        for c in contours:
            points = np.array([float(v) for v in c.ContourData]).reshape(-1, 3)
            at = (inverse @ np.column_stack([points, np.ones(len(points))]).T).T
            k = int(np.rint(at[0, 2]))
            assert np.abs(at[:, 2] - k).max() < 1e-6, "off the slices"
            odd[k] += winding(x, y, at[:, :2])
            on[k] |= distance(x, y, at[:, :2]) <= ON
        segments[str(roi.ROINumber)] = summary((odd % 2 == 1) | on)
    return {"size": size, "affine": affine, "segments": segments}


def main(data):
    result = {}
    for name in SEGMENTATIONS:
        result[name] = segmentation(os.path.join(data, name), 0.5)
    for threshold in (0.25, 0.75):
        name = "highdicom/seg_image_ct_true_fractional.dcm"
        case = dict(segmentation(os.path.join(data, name), threshold), file=name, threshold=threshold)
        result["%s from %g" % (name, threshold)] = case
    for name, file, size, affine in STRUCTURES:
        result[name] = dict(structures(os.path.join(data, file), size, affine), file=file)
    json.dump({k: v for k, v in result.items() if v is not None}, sys.stdout, indent=1, sort_keys=True)
    print()


main(sys.argv[1])
