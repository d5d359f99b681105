# Writes the HTJ2K codestreams of this folder with OpenJPH 0.26.3, by
#   pip install imagecodecs==2026.3.6 numpy && python htj2k.py
# and, where Debian 12's openjph-tools 0.9.0 are installed, those of its ojph_compress.
import subprocess
import imagecodecs
import numpy


def image(rows, columns, bits, signed):
    """The image that wave in htj2k_test.go makes."""
    out = numpy.zeros((rows, columns), numpy.int64)
    state = 1
    for y in range(rows):
        for x in range(columns):
            state = (state * 1664525 + 1013904223) % 2**32
            out[y, x] = (3 * x * y + 40 * x + 25 * y + (state >> 27)) % 2**bits
    if signed:
        out -= 2 ** (bits - 1)
    kind = ("int" if signed else "uint") + ("8" if bits <= 8 else "16")
    return out.astype(kind)


for rows, columns, bits, signed in ((40, 56, 8, False), (33, 47, 16, False), (64, 48, 16, True)):
    name = f"openjph-{bits}{'s' if signed else 'u'}-{rows}x{columns}.j2c"
    data = imagecodecs.htj2k_encode(image(rows, columns, bits, signed), reversible=True)
    open(name, "wb").write(data)
data = imagecodecs.htj2k_encode(image(64, 48, 16, False), level=0.0005, reversible=False)
open("openjph-lossy-16u-64x48.j2c", "wb").write(data)

im = image(64, 48, 12, False)
open("in.pgm", "wb").write(b"P5 48 64 4095\n" + im.astype(">u2").tobytes())
for order in ("RPCL", "LRCP"):
    subprocess.run(["ojph_compress", "-i", "in.pgm", "-o", f"ojph_compress-{order}-12u-64x48.j2c",
                    "-reversible", "true", "-prog_order", order, "-num_decomps", "3", "-block_size", "{32,32}"], check=True)
subprocess.run(["rm", "in.pgm"], check=True)
