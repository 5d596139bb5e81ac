"""A logo as the address of an image that is its own content, so that the report stays one file."""

from __future__ import annotations

import base64
import io
import re
import warnings
from pathlib import Path

from auditlib.listing import read_regular

SIZE_LIMIT = 256_000
"""Bytes of a logo."""
PIXEL_LIMIT = 4_000
"""Pixels on each side: a small file can be an image that takes gigabytes to show."""

_SVG = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<svg[\s>]", re.S)
_RASTER = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


def embedded(folder: Path, name: str) -> str:
    """The logo `name` of the folder as a data URI; an image is shown, but nothing in it is run or fetched.

    Raises ValueError, with the reason, if it is none, too big, or outside of the folder.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError("a logo lies in the folder of this file, or below it")
    data = read_regular(path, SIZE_LIMIT, follow=False)
    if data is None:
        raise ValueError(f"{name} is no file of at most {SIZE_LIMIT // 1000} kB")
    mime = "image/svg+xml" if _is_svg(data) else _raster_type(data)
    if not mime:
        raise ValueError(f"{name} is no PNG, JPEG, WebP or plain SVG of at most {PIXEL_LIMIT} pixels a side")
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"


def _is_svg(data: bytes) -> bool:
    """Without a document type, since that is where entities multiply."""
    return bool(_SVG.match(data)) and not re.search(rb"<!(?:DOCTYPE|ENTITY)", data, re.I)


def _raster_type(data: bytes) -> str:
    """The type that the first bytes say, read without decoding the image; empty for anything else."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=list(_RASTER))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""
    return _RASTER[str(image.format)] if max(image.size) <= PIXEL_LIMIT else ""
