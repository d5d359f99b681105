# Writes the files in the folder seeds with CharLS 2.4.3, OpenJPEG 2.5.4, libjpeg-turbo
# 3.1.3 (12 bits and lossless) and imagecodecs' own lossless JPEG, by
#   pip install imagecodecs==2026.3.6 numpy && python seeds.py
# The image is that of htj2k.py in 14 × 18 × 12 bits; the files are named by syntax.
import os
import imagecodecs
import numpy

exec(open("htj2k.py").read().split("for rows, columns, bits")[0])
os.makedirs("seeds", exist_ok=True)
im = image(14, 18, 12, False)


def write(name, data):
    open("seeds/1.2.840.10008.1.2.4." + name, "wb").write(data)


write("80-charls", imagecodecs.jpegls_encode(im, level=0))
write("81-charls", imagecodecs.jpegls_encode(im, level=2))
write("90-openjpeg", imagecodecs.jpeg2k_encode(im, level=0, codecformat="j2k", bitspersample=12, reversible=True))
write("90-jp2", imagecodecs.jpeg2k_encode(im, level=0, codecformat="jp2", bitspersample=12, reversible=True))
write("91-openjpeg", imagecodecs.jpeg2k_encode(im, level=60, codecformat="j2k", bitspersample=12, reversible=False))
write("51-turbo", imagecodecs.jpeg_encode(im, level=95, bitspersample=12))
write("57-lj92", imagecodecs.ljpeg_encode(im, bitspersample=12))
for predictor in range(1, 8):
    write(f"57-turbo{predictor}", imagecodecs.jpeg_encode(im, lossless=True, predictor=predictor, bitspersample=12))
