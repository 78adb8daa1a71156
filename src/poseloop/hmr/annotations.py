"""Labelled pictures of the user's own, from any of the formats in `formats`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import roma
import torch
from PIL import Image

from poseloop.body.model import BodyModel
from poseloop.hmr.store import Labels, Pictures
from poseloop.runtime.errors import UserError
from poseloop.runtime.pictures import LARGEST_PIXELS, read_picture
from poseloop.runtime.refusing import refusing

LEAST_PIXELS = 24
"""Smaller sides of a person's box are refused."""
_FARTHEST = 1e6


@dataclass(frozen=True)
class Annotations:
    """People in files, one row each.

    image : (N,) str
        Path below the folder of pictures.
    global_orient, body_pose, betas : (N, 3), (N, 69), (N, B) float32
        In the view frame: x right, y up, z towards the camera.
    pelvis : (N, 3) float32
        Of the posed body in the same axes, from the camera, metres: z is negative.
    focal, centre : (N, 2) float32
        Of the whole picture, pixels.
    clip, frame : (N,) str and int32
    """

    image: np.ndarray
    global_orient: np.ndarray
    body_pose: np.ndarray
    betas: np.ndarray
    pelvis: np.ndarray
    focal: np.ndarray
    centre: np.ndarray
    clip: np.ndarray
    frame: np.ndarray

    def __len__(self) -> int:
        return len(self.image)


def to_view(
    global_orient: np.ndarray, rotation: np.ndarray, pelvis: np.ndarray, shift: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Orientation and pelvis in the view frame, from a world whose camera is OpenCV's.

    Parameters
    ----------
    global_orient, pelvis : (N, 3)
        In the world, radians and metres.
    rotation, shift : (N, 3, 3), (N, 3)
        World to camera: x right, y down, z forward.
    """
    flip = np.diag([1.0, -1.0, -1.0])
    turn = flip @ rotation
    orient = (
        turn @ roma.rotvec_to_rotmat(torch.from_numpy(global_orient.astype(np.float64))).numpy()
    )
    moved = np.einsum("nij,nj->ni", turn, pelvis) + shift @ flip
    rotvec = roma.rotmat_to_rotvec(torch.from_numpy(orient)).numpy()
    return rotvec.astype(np.float32), moved.astype(np.float32)


def rest_pelvis(body: BodyModel, betas: np.ndarray) -> np.ndarray:
    """Pelvis (N, 3) of rest poses; SMPL turns the body about it before it adds the translation."""
    with torch.inference_mode():
        return body.rest_joints(torch.from_numpy(betas))[:, 0].numpy()


def cut_out(
    annotations: Annotations, folder: str | Path, body: BodyModel, size: int, margin: float
) -> tuple[Pictures, Labels]:
    """Crops around the joints of annotated people, with their labels.

    Parameters
    ----------
    folder : path
        Folder of the pictures.
    size : int
        Pixels of a crop's side.
    margin : float
        Side of the crop over the longer side of the joints' box.

    Raises
    ------
    UserError
        A picture is missing, unreadable or outside the folder, or a person in it is too small.
    """
    with torch.inference_mode():
        posed = body(
            torch.from_numpy(annotations.global_orient),
            torch.from_numpy(annotations.body_pose),
            torch.from_numpy(annotations.betas),
        ).joints.numpy()
    joints = posed - posed[:, :1] + annotations.pelvis[:, None]
    places = joints[..., :2] / -joints[..., 2:]
    places = annotations.centre[:, None] + annotations.focal[:, None] * places * [1, -1]
    crops, intrinsics, cameras = [], [], []
    for row in range(len(annotations)):
        picture = open_picture(Path(folder), annotations.image[row])
        low, high = places[row].min(0), places[row].max(0)
        side = float((high - low).max()) * margin
        if not side >= LEAST_PIXELS:
            raise UserError(f"{annotations.image[row]}: a person of {side:.0f} pixels is too small")
        middle = (low + high) / 2
        with refusing(annotations.image[row], "cannot be cut out"):
            crops.append(cut_pixels(picture, middle, side, size))
        scale = 2 * annotations.focal[row, 0] / side
        intrinsics.append([scale, *(2 * (annotations.centre[row] - middle) / side)])
        depth = -annotations.pelvis[row, 2]
        cameras.append([scale / depth, *(2 * (places[row, 0] - middle) / side)])
    labels = Labels(
        global_orient=annotations.global_orient,
        body_pose=annotations.body_pose,
        betas=annotations.betas,
        camera=np.array(cameras, np.float32),
        clip=annotations.clip,
        frame=annotations.frame,
        body_id=np.unique(annotations.betas, axis=0, return_inverse=True)[1]
        .ravel()
        .astype(np.int32),
    )
    found = {"intrinsics": np.array(intrinsics, np.float32), "camera": labels.camera}
    for field, values in found.items():
        if not np.isfinite(values).all():
            raise UserError(
                f"{folder}: a person without a depth gives a {field} that is not finite"
            )
    return Pictures(np.stack(crops), found["intrinsics"]), labels


def cut_pixels(picture: np.ndarray, middle: np.ndarray, side: float, size: int) -> np.ndarray:
    """A square of a picture (H, W, 3), centre (2,) and side in pixels, as (size, size, 3).

    Beyond the picture's edge the edge goes on. Pixels are averaged over the area that they cover.

    Raises
    ------
    ValueError
        The square is larger than any picture, or is not near this one.
    """
    height, width = picture.shape[:2]
    low = np.asarray(middle, float) - side / 2
    # The filter that averages reaches as far beyond the square.
    reach = int(np.ceil(side / size)) + 1 if side**2 <= LARGEST_PIXELS else 0
    if not reach or not np.abs(low).max() <= _FARTHEST:
        raise ValueError(f"a person of {side:.0f} pixels at {np.round(middle).tolist()}")
    first = np.floor(low).astype(int) - reach
    last = np.ceil(low + side).astype(int) + reach
    columns, rows = (
        np.clip(np.arange(first[axis], last[axis]), 0, limit - 1)
        for axis, limit in ((0, width), (1, height))
    )
    box = (*(low - first), *(low - first + side))
    around = Image.fromarray(picture[rows[:, None], columns])
    return np.array(around.resize((size, size), Image.Resampling.BILINEAR, box=box))


def open_picture(folder: Path, name: str) -> np.ndarray:
    """A picture (H, W, 3) uint8 below `folder`.

    Raises
    ------
    UserError
        The path leaves the folder, or the file is missing or no picture.
    """
    path = folder / name
    with refusing(repr(name), "a file name that no file can have"):
        if not path.resolve().is_relative_to(folder.resolve()):
            raise UserError(f"{name}: leads out of the folder of pictures")
    return np.asarray(read_picture(path, "RGB"))
