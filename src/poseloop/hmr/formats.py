"""Readers of labelled sets in their documented layouts: 3DPW, Human3.6M and HumanData."""

from pathlib import Path

import numpy as np

from poseloop.body.model import BodyModel
from poseloop.hmr.annotations import Annotations, rest_pelvis, to_view
from poseloop.hmr.pickles import read_object_npz, read_pickle
from poseloop.runtime.errors import UserError
from poseloop.runtime.files import read_json
from poseloop.runtime.refusing import refusing

# Files hold up to 300 betas.
_MOST_BETAS, _LONGEST_NAME = 300, 1000


def read_3dpw(path: str | Path, body: BodyModel) -> Annotations:
    """One sequence file of 3DPW (`sequenceFiles/<split>/<sequence>.pkl`).

    Pictures are `<sequence>/image_<frame>.jpg` below `imageFiles`. Frames whose camera pose is
    marked as wrong for a person are left out.

    Raises
    ------
    UserError
        The file is unreadable, or lacks a field or has one of another shape.
    """
    content = read_pickle(path)
    with refusing(path, "not a 3DPW sequence"):
        name = _short(content["sequence"])
        intrinsics, cameras, frames = (
            np.asarray(content[key], kind)
            for key, kind in (
                ("cam_intrinsics", float),
                ("cam_poses", float),
                ("img_frame_ids", int),
            )
        )
        people = zip(
            content["poses"],
            content["trans"],
            content["betas"],
            content["campose_valid"],
            strict=True,
        )
        parts = []
        for poses, trans, betas, valid in people:
            kept = np.flatnonzero(np.asarray(valid).astype(bool))
            parts.append(
                {
                    "pose": np.asarray(poses, float)[kept].reshape(-1, 72),
                    "trans": np.asarray(trans, float)[kept].reshape(-1, 3),
                    "betas": np.tile(
                        np.asarray(betas, float).ravel()[:_MOST_BETAS], (len(kept), 1)
                    ),
                    "camera": cameras[kept].reshape(-1, 4, 4),
                    "frame": frames[kept],
                }
            )
        joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        focal, centre = intrinsics[[0, 1], [0, 1]], intrinsics[[0, 1], 2]
        images = np.array([f"{name}/image_{frame:05d}.jpg" for frame in joined["frame"]])
        cameras = joined["camera"]
        return _annotations(
            body, images, joined, cameras[:, :3, :3], cameras[:, :3, 3], focal, centre, name
        )


def read_h36m(folder: str | Path, subject: int, body: BodyModel, every: int = 1) -> Annotations:
    """One subject of Human3.6M in the layout of its COCO-style annotations.

    The folder holds `Human36M_subject<n>_{data,camera,SMPL_NeuralAnnot}.json`: pictures, cameras
    (R, t in millimetres, f, c) and SMPL fits in the world, metres. Pictures without a fit are left
    out.

    Parameters
    ----------
    every : int
        Take one of so many frames.

    Raises
    ------
    UserError
        A file is unreadable, lacks a field or has one of another shape.
    """
    stem = str(Path(folder) / f"Human36M_subject{subject}_")
    data, cameras, fits = (
        read_json(f"{stem}{kind}.json") for kind in ("data", "camera", "SMPL_NeuralAnnot")
    )
    rows: dict[str, list] = {
        key: [] for key in ("image", "pose", "trans", "betas", "R", "t", "f", "c", "frame")
    }
    with refusing(f"{stem}*.json", "not Human3.6M annotations"):
        for image in data["images"]:
            frame = int(image["frame_idx"])
            clip = fits.get(str(image["action_idx"]), {}).get(str(image["subaction_idx"]), {})
            fit = clip.get(str(frame))
            if fit is None or frame % every:
                continue
            camera = cameras[str(image["cam_idx"])]
            for key, value in (
                ("image", _short(image["file_name"])),
                ("pose", np.asarray(fit["pose"], float).reshape(72)),
                ("trans", np.asarray(fit["trans"], float).reshape(3)),
                ("betas", np.asarray(fit["shape"], float).ravel()[:_MOST_BETAS]),
                ("R", np.asarray(camera["R"], float).reshape(3, 3)),
                ("t", np.asarray(camera["t"], float).reshape(3) / 1000),
                ("f", np.asarray(camera["f"], float).reshape(2)),
                ("c", np.asarray(camera["c"], float).reshape(2)),
                ("frame", frame),
            ):
                rows[key].append(value)
        joined = {key: np.array(values) for key, values in rows.items()}
        if not len(joined["image"]):
            raise UserError(f"{stem}data.json: no picture has a fit")
        images, turn, shift, focal, centre = (joined[key] for key in ("image", "R", "t", "f", "c"))
        return _annotations(body, images, joined, turn, shift, focal, centre, f"subject{subject}")


def read_humandata(path: str | Path, body: BodyModel) -> Annotations:
    """A HumanData file of mmhuman3d.

    Reads `image_path`, `smpl` (global_orient, body_pose, betas, transl, in an OpenCV camera's
    frame) and of `misc` the `focal_length` and `principal_point` in pixels.

    Raises
    ------
    UserError
        The file is unreadable, lacks a field or has one of another shape.
    """
    content = read_object_npz(path)
    with refusing(path, "not a HumanData file with cameras"):
        smpl, misc = content["smpl"], content["misc"]
        images = np.array([_short(name) for name in np.ravel(content["image_path"])])
        count = len(images)
        pose = [np.asarray(smpl[key], float) for key in ("global_orient", "body_pose")]
        joined = {
            "pose": np.concatenate([part.reshape(count, -1) for part in pose], 1).reshape(
                count, 72
            ),
            "trans": np.asarray(smpl["transl"], float).reshape(count, 3),
            "betas": np.asarray(smpl["betas"], float).reshape(count, -1),
            "frame": np.arange(count),
        }
        focal, centre = (
            np.asarray(misc[key], float).reshape(-1, 2)
            for key in ("focal_length", "principal_point")
        )
        still, shift = np.tile(np.eye(3), (count, 1, 1)), np.zeros((count, 3))
        return _annotations(body, images, joined, still, shift, focal, centre, Path(path).stem)


def _short(name: object) -> str:
    """A name as text; one longer than a path can be would make an array of names huge."""
    text = str(name)
    if len(text) > _LONGEST_NAME:
        raise ValueError(f"a name of {len(text)} characters")
    return text


def _annotations(
    body: BodyModel,
    images: np.ndarray,
    rows: dict[str, np.ndarray],
    rotation: np.ndarray,
    shift: np.ndarray,
    focal: np.ndarray,
    centre: np.ndarray,
    name: str,
) -> Annotations:
    count = len(images)
    if not count:
        raise UserError(f"{name}: nobody is annotated")
    if {len(value) for value in (*rows.values(), rotation, shift)} != {count}:
        raise ValueError("poses, shapes, cameras and pictures differ in number")
    # Files hold up to 300 betas; those that the body does not have are left out.
    betas = np.zeros((count, body.num_betas), np.float32)
    shared = min(body.num_betas, rows["betas"].shape[1])
    betas[:, :shared] = rows["betas"][:, :shared]
    pelvis = rest_pelvis(body, betas) + rows["trans"]
    orient, pelvis = to_view(rows["pose"][:, :3], rotation, pelvis, shift)
    annotations = Annotations(
        image=images,
        global_orient=orient,
        body_pose=rows["pose"][:, 3:].astype(np.float32),
        betas=betas,
        pelvis=pelvis,
        focal=np.broadcast_to(focal, (count, 2)).astype(np.float32),
        centre=np.broadcast_to(centre, (count, 2)).astype(np.float32),
        clip=np.full(count, name),
        frame=rows["frame"].astype(np.int32),
    )
    for field in ("global_orient", "body_pose", "betas", "pelvis", "focal", "centre"):
        if not np.isfinite(getattr(annotations, field)).all():
            raise UserError(f"{name}: {field} has values that are not finite")
    return annotations
