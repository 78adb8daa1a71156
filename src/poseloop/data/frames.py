"""Pictures of the pose set made elsewhere, by a pose-conditioned image or video model.

The folder holds one file for each selected pose, named by the pose's `anchor` and `neighbour` in
poses.npz: `<anchor>_<neighbour>.png`, with at least four and two digits (0017_03.png). A file has
an alpha channel, or beside it a grey `<anchor>_<neighbour>_mask.png` of the same size. The person
must be seen whole, by a camera at its height or tilted down by the configured pitch, in the
configured facing (0: the body's heading is towards the camera).

Such a picture has its own scale and, from a video model, perspective. It is cropped so that the
person's mask has the centre and longer side of the posed body's orthographic box, as PSHuman crops
its input by the alpha box (facts/drpose.md 2, geometry traps a and b).
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from poseloop.body.model import BodyModel
from poseloop.data.config import PoseSetConfig
from poseloop.data.posing import face_camera
from poseloop.data.store import PoseSet, SelectedPoses
from poseloop.data.studio import bounding_box
from poseloop.runtime.errors import UserError
from poseloop.runtime.pictures import LARGEST_PIXELS, read_picture

_SEEN = 128


def read_pose_set(config: PoseSetConfig, selected: SelectedPoses, body: BodyModel) -> PoseSet:
    """Pose set from a folder of frames.

    Raises
    ------
    UserError
        The folder or a frame is missing, unreadable, without mask, or shows nobody.
    """
    settings = config.frames
    folder = Path(settings.path)
    if not folder.is_dir():
        raise UserError(f"{folder}: folder of frames (frames.path) not found")
    if len(settings.betas) > body.num_betas:
        raise UserError(f"frames.betas: the body has {body.num_betas} shape components")
    count = len(selected.clip)
    paths = [
        folder / f"{anchor:04d}_{neighbour:02d}.png"
        for anchor, neighbour in zip(selected.anchor, selected.neighbour, strict=True)
    ]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise UserError(f"{folder}: lacks {len(missing)} of {count} frames, first {missing[0]}")
    betas = np.zeros((1, body.num_betas), np.float32)
    betas[0, : len(settings.betas)] = settings.betas
    global_orient = face_camera(selected.global_orient, settings.yaw, settings.pitch)
    pictures, masks, joints, metres = [], [], [], []
    for index, path in enumerate(paths):
        with torch.inference_mode():
            posed = body(
                torch.from_numpy(global_orient[index : index + 1]),
                torch.from_numpy(selected.body_pose[index : index + 1]),
                torch.from_numpy(betas),
            )
        vertices = posed.vertices[0].numpy()
        centre, diagonal = bounding_box(vertices)
        picture, mask = fit_frame(
            path, float(np.ptp(vertices[:, :2], axis=0).max() / diagonal), config.picture.size
        )
        pictures.append(picture)
        masks.append(mask)
        joints.append((posed.joints[0].numpy() - centre) / diagonal)
        metres.append(diagonal)
    return PoseSet(
        input_rgb=np.stack(pictures),
        input_mask=np.stack(masks),
        joints=np.stack(joints).astype(np.float32),
        metres_per_unit=np.array(metres, np.float32),
        global_orient=global_orient,
        body_pose=selected.body_pose,
        betas=np.repeat(betas, count, axis=0),
        clip=selected.clip,
        frame=selected.frame,
        body_id=np.zeros(count, np.int32),
        ordinary=selected.ordinary,
    )


def fit_frame(path: Path, extent: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Crop a frame so that the person is centred and its longer side covers `extent` of it.

    Returns
    -------
    (size, size, 3) uint8 picture on white and (size, size) uint8 mask.

    Raises
    ------
    UserError
        The frame is unreadable, has no mask, or its mask is empty.
    """
    image = _with_alpha(path)
    seen = np.asarray(image)[..., 3] >= _SEEN
    if not seen.any():
        raise UserError(f"{path}: the mask shows nobody")
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    side = max(bottom - top, right - left) / extent
    if side**2 > LARGEST_PIXELS:
        raise UserError(f"{path}: a person of {side:.0f} pixels is too large; scale the frame down")
    x, y = (left + right - side) / 2, (top + bottom - side) / 2
    # Pasted first, because resizing wants a box inside the image.
    canvas = Image.new("RGBa", (int(np.ceil(side)) + 2,) * 2)
    canvas.paste(image.convert("RGBa"), (-int(np.floor(x)), -int(np.floor(y))))
    x, y = x - np.floor(x), y - np.floor(y)
    resized = canvas.resize((size, size), Image.Resampling.BOX, box=(x, y, x + side, y + side))
    pixels = np.asarray(resized).astype(np.int64)
    alpha = pixels[..., 3]
    picture = np.clip(pixels[..., :3] + (255 - alpha)[..., None], 0, 255)
    return picture.astype(np.uint8), alpha.astype(np.uint8)


def _with_alpha(path: Path) -> Image.Image:
    """The frame as RGBA, its mask from its alpha channel or from the file beside it."""
    image = read_picture(path)
    if "A" in image.getbands():
        return image.convert("RGBA")
    beside = path.with_name(f"{path.stem}_mask.png")
    if not beside.is_file():
        raise UserError(f"{path}: has no alpha channel, and there is no {beside.name}")
    mask = read_picture(beside, "L")
    if mask.size != image.size:
        raise UserError(f"{beside}: is {mask.size}, its frame {image.size}")
    image = image.convert("RGB")
    image.putalpha(mask)
    return image
