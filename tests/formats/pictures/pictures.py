"""Writes pictures.json: small JPEG files of every kind, and the RGB values that Pillow reads from them.

Run by hand, with Debian's python3-pil and libjpeg-turbo-progs: /usr/bin/python3 tests/formats/pictures/pictures.py
"""

import base64
import io
import json
import struct
import subprocess
from pathlib import Path

from PIL import Image, ImageOps


def scene(width, height):
    """Slopes and edges of colour, so that wrong upsampling, rounding or turning shows."""
    picture = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            blue = 220 if (x // 5 + y // 4) % 2 else 40
            picture.putpixel((x, y), (x * 255 // max(1, width - 1), y * 255 // max(1, height - 1), blue))
    return picture


def pillow(picture, **options):
    file = io.BytesIO()
    picture.save(file, "JPEG", **options)
    return file.getvalue()


def cjpeg(picture, *options):
    """libjpeg-turbo's own program, for what Pillow does not write."""
    file = io.BytesIO()
    picture.save(file, "PPM")
    return subprocess.run(["cjpeg", "-quality", "85", *options], input=file.getvalue(), stdout=-1, check=True).stdout


def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def exif(orientation, order, kind=3):
    head, short, long = (b"II", "<H", "<I") if order == "little" else (b"MM", ">H", ">I")
    value = struct.pack(short, orientation) + b"\0\0" if kind == 3 else struct.pack(long, orientation)
    entries = [
        struct.pack(short, 0x0100) + struct.pack(short, 4) + struct.pack(long, 1) + struct.pack(long, 7),
        struct.pack(short, 0x0112) + struct.pack(short, kind) + struct.pack(long, 1) + value,
    ]
    body = struct.pack(short, len(entries)) + b"".join(entries) + struct.pack(long, 0)
    return b"Exif\0\0" + head + struct.pack(short, 42) + struct.pack(long, 8) + body


def with_segments(jpeg, *segments):
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def without(jpeg, marker):
    """The file without its first segment of a kind."""
    at = 2
    while jpeg[at + 1] != marker:
        at += 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
    return jpeg[:at] + jpeg[at + 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0] :]


def ycck(picture):
    """Four components as Adobe's programs store them: YCbCr of inverted inks, and inverted black."""
    parts = picture.convert("CMYK").split()
    turned = Image.merge("RGB", parts[:3]).convert("YCbCr").split()
    file = pillow(Image.merge("CMYK", [*turned, parts[3]]), quality=90)
    at = file.index(b"Adobe")
    return file[: at + 11] + b"\x02" + file[at + 12 :]


base = scene(23, 17)
plain = pillow(base, quality=85)
files = {
    "4:4:4": cjpeg(base, "-sample", "1x1"),
    "4:2:2": cjpeg(base, "-sample", "2x1"),
    "4:2:0": cjpeg(base, "-sample", "2x2"),
    "4:4:0": cjpeg(base, "-sample", "1x2"),
    "4:1:1": cjpeg(base, "-sample", "4x1"),
    "4:1:0": cjpeg(base, "-sample", "4x2"),
    "odd sampling": cjpeg(base, "-sample", "2x2,1x2,2x1"),
    "progressive": pillow(base, quality=85, progressive=True),
    "optimised": pillow(base, quality=85, optimize=True),
    "restarts": cjpeg(base, "-restart", "1B"),
    "grey": pillow(base.convert("L")),
    "grey progressive": pillow(base.convert("L"), progressive=True),
    "RGB by Adobe's marker": cjpeg(base, "-rgb"),
    "RGB by its identifiers": without(cjpeg(base, "-rgb"), 0xEE),
    "CMYK": pillow(base.convert("CMYK"), quality=90),
    "CMYK without a marker": without(pillow(base.convert("CMYK"), quality=90), 0xEE),
    "YCCK": ycck(base),
    "1x1": pillow(scene(1, 1)),
    "1x19": pillow(scene(1, 19)),
    "19x1": pillow(scene(19, 1)),
    "followed by zeros": plain + bytes(40),
    "followed by another": plain + pillow(scene(3, 3)),
    "with a thumbnail": with_segments(plain, segment(0xE1, exif(1, "little") + pillow(scene(8, 8)))),
    "with fill bytes": plain[:2] + b"\xff\xff\xff" + plain[2:],
    "with damaged EXIF": with_segments(plain, segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\x7f")),
    "orientation 6 as 32 bits": with_segments(plain, segment(0xE1, exif(6, "big", kind=4))),
    "orientation 9": with_segments(plain, segment(0xE1, exif(9, "big"))),
}
for orientation in range(1, 9):
    order = "little" if orientation % 2 else "big"
    files[f"orientation {orientation}"] = with_segments(plain, segment(0xE1, exif(orientation, order)))


def entry(file):
    picture = Image.open(io.BytesIO(file))
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    encode = lambda data: base64.b64encode(data).decode()
    return {"file": encode(file), "width": upright.width, "height": upright.height, "rgb": encode(upright.tobytes())}


target = Path(__file__).with_suffix(".json")
target.write_text(json.dumps({name: entry(file) for name, file in files.items()}, indent=2) + "\n")
