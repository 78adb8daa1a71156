"""Pictures of clothed people by the mesh renderer, in the crops that the estimators see."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import roma
import torch

from poseloop.body.model import BodyModel
from poseloop.data.config import Backdrop, Picture
from poseloop.posegen.imageset import ImageSet
from poseloop.posegen.surroundings import surround
from poseloop.posegen.views import camera_rotation, crop_of, project
from poseloop.render.appearance import Appearance, offsets, paint
from poseloop.render.atlas import BodyAtlas, make_atlas
from poseloop.render.backend import make_renderer
from poseloop.render.cameras import Camera
from poseloop.render.mesh import Light, Mesh, vertex_normals

_BATCH = 64
_LABELS = ("global_orient", "joints", "joints2d")


class Photographer:
    """Dresses posed bodies and renders them by the mesh renderer.

    Parameters
    ----------
    body : BodyModel
    picture : Picture
    """

    def __init__(self, body: BodyModel, picture: Picture) -> None:
        with torch.inference_mode():
            joints = body.rest_joints()[0].numpy()
        self.body = body
        self.atlas = make_atlas(body.v_template.numpy(), joints, body.weights.numpy())
        self.renderer = make_renderer(picture.backend, picture.size, picture.supersample)

    def shoot(
        self,
        vertices: np.ndarray,
        appearance: Appearance,
        light: Light,
        centre: np.ndarray,
        size: float,
        distance: float,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Picture (S, S, 3) on white and coverage (S, S), uint8, of one clothed body.

        vertices (V, 3) in the camera frame, metres; crop as in `views`.
        """
        bare = (vertices - centre) / size
        faces = self.body.faces
        thickness = offsets(appearance, self.atlas)[:, None] / size
        clothed = bare + vertex_normals(bare, faces) * thickness
        mesh = Mesh(
            clothed,
            faces,
            vertex_normals(clothed, faces),
            self.atlas.values,
            partial(_paint, appearance, self.atlas.hip),
        )
        pictures = self.renderer.render(mesh, [Camera(0.0, float(distance / size))], light)
        return pictures.rgb[0], pictures.mask[0]

    def photograph(
        self,
        pose: tuple[np.ndarray, np.ndarray, np.ndarray],
        camera: np.ndarray,
        appearances: Sequence[Appearance],
        backdrop: Backdrop,
        rngs: Sequence[np.random.Generator],
        origin: tuple[np.ndarray, np.ndarray],
        crowd: float = 0.0,
    ) -> ImageSet:
        """Pictures of N people.

        Parameters
        ----------
        pose : (N, 3), (N, 69), (N, B) arrays
            `global_orient` in the world, `body_pose`, `betas`.
        camera : (N, 4) array
            As in `ImageSet`.
        rngs : N generators
            Of background, occluder and exposure.
        origin : (N,) str, (N,) int32
            Clip and body of each person.
        crowd : float
            Share of pictures into which another person of the batch walks.
        """
        shots, labels = [], []
        for start in range(0, len(camera), _BATCH):
            rows = slice(start, start + _BATCH)
            placed = place(self.body, *(part[rows] for part in pose), camera[rows])
            labels.append({name: placed[name] for name in _LABELS})
            pictures = [
                self.shoot(vertices, look, look.light, centre, size, distance)
                for vertices, look, centre, size, distance in zip(
                    placed["vertices"],
                    appearances[rows],
                    placed["centre"],
                    placed["size"],
                    camera[rows, 3],
                    strict=True,
                )
            ]
            shots += surround(pictures, backdrop, crowd, rngs[rows])
        return ImageSet(
            **{name: np.concatenate([part[name] for part in labels]) for name in _LABELS},
            rgb=np.stack([rgb for rgb, _ in shots]),
            mask=np.stack([mask for _, mask in shots]),
            body_pose=pose[1].astype(np.float32),
            betas=pose[2].astype(np.float32),
            camera=camera.astype(np.float32),
            clip=origin[0],
            body_id=origin[1].astype(np.int32),
        )


def place(
    body: BodyModel,
    global_orient: np.ndarray,
    body_pose: np.ndarray,
    betas: np.ndarray,
    camera: np.ndarray,
) -> dict[str, np.ndarray]:
    """Pose bodies before their cameras; arguments as in `Photographer.photograph`.

    Returns
    -------
    dict
        `vertices` (N, V, 3) and `joints` (N, 24, 3), camera frame, metres, relative to the
        pelvis; `global_orient` (N, 3) in the camera frame; `centre` (N, 3) and `size` (N,) of
        the crop; `joints2d` (N, 24, 2) in it.
    """
    with torch.inference_mode():
        view = torch.from_numpy(camera.astype(np.float32))
        turn = camera_rotation(*torch.deg2rad(view[:, :3]).T)
        orient = roma.rotmat_to_rotvec(
            turn @ roma.rotvec_to_rotmat(torch.from_numpy(global_orient.astype(np.float32)))
        )
        posed = body(
            orient,
            torch.from_numpy(body_pose.astype(np.float32)),
            torch.from_numpy(betas.astype(np.float32)),
        )
        root = posed.joints[:, :1]
        joints = posed.joints - root
        centre, size = crop_of(joints)
        return {
            "vertices": (posed.vertices - root).numpy(),
            "joints": joints.numpy(),
            "global_orient": orient.numpy(),
            "centre": centre.numpy(),
            "size": size.numpy(),
            "joints2d": project(joints, centre, size, view[:, 3]).numpy(),
        }


def _paint(appearance: Appearance, hip: float, values: np.ndarray) -> np.ndarray:
    return paint(appearance, BodyAtlas(values, hip))
