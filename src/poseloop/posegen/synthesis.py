"""Training pictures from poses: rendered by a field or a mesh, lit, before a background."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import roma
import torch

from poseloop.data.config import Backdrop
from poseloop.posegen.feedback import scene_of_drawn
from poseloop.posegen.field import ArticulatedField, Rendering
from poseloop.posegen.generator import Drawn
from poseloop.posegen.imageset import ImageSet
from poseloop.posegen.nerf_training import render_all
from poseloop.posegen.photograph import Photographer
from poseloop.posegen.skeleton import SurfaceBody
from poseloop.posegen.surroundings import Cutout, surround
from poseloop.posegen.views import project
from poseloop.render.appearance import Appearance
from poseloop.render.mesh import unit
from poseloop.render.wardrobe import sample_light

_OPAQUE = 0.02


class FieldStudio:
    """Pictures of a field's subjects.

    Parameters
    ----------
    field : ArticulatedField
    betas : (M, K) tensor
        Shapes of its subjects.
    body : SurfaceBody
    size : int
        Pixels.
    backdrop : Backdrop
    crowd : float
        Share of pictures with a second person.
    colour_jitter : float
        Range of each picture's factor of each colour channel.
    """

    def __init__(
        self,
        field: ArticulatedField,
        betas: torch.Tensor,
        body: SurfaceBody,
        size: int,
        backdrop: Backdrop,
        crowd: float,
        colour_jitter: float,
    ) -> None:
        self.field = field
        self.betas = betas
        self.rest_joints = body.rest_joints(betas.to(body.device))
        self.size = size
        self.backdrop = backdrop
        self.crowd = crowd
        self.colour_jitter = colour_jitter

    @torch.no_grad()
    def shoot(
        self, drawn: Drawn, subject: torch.Tensor, rngs: Sequence[np.random.Generator]
    ) -> ImageSet:
        """Pictures of every pose with their labels, as many as `rngs` has for each.

        A pose is rendered once; its pictures, one after another, differ in light, colours and
        background.
        """
        scene = scene_of_drawn(drawn, subject, self.rest_joints)
        shown = render_all(self.field, scene, self.size)
        scene, drawn = scene.to("cpu"), drawn.cpu()
        bare = [
            unlit(Rendering(*(value[row] for value in shown)), float(size) / self.size)
            for row, size in enumerate(scene.size)
        ]
        again = torch.arange(len(subject)).repeat_interleave(len(rngs) // len(subject))
        drawn, scene, subject = drawn.of(again), scene[again], subject[again]
        people = [
            self._develop(*bare[row], rng) for row, rng in zip(again.tolist(), rngs, strict=True)
        ]
        pictures = surround(people, self.backdrop, self.crowd, rngs)
        camera = torch.cat([torch.rad2deg(drawn.camera[:, :3]), drawn.camera[:, 3:]], dim=1)
        joints2d = project(scene.joints, scene.centre, scene.size, scene.distance)
        return ImageSet(
            rgb=np.stack([rgb for rgb, _ in pictures]),
            mask=np.stack([mask for _, mask in pictures]),
            global_orient=roma.rotmat_to_rotvec(scene.rotations[:, 0]).numpy(),
            body_pose=drawn.pose[:, 3:].numpy(),
            betas=self.betas[subject].numpy(),
            joints=scene.joints.numpy(),
            joints2d=joints2d.numpy(),
            camera=camera.numpy(),
            clip=np.full(len(subject), "rendered"),
            body_id=subject.numpy().astype(np.int32),
        )

    def _develop(
        self, colour: np.ndarray, normals: np.ndarray, alpha: np.ndarray, rng: np.random.Generator
    ) -> Cutout:
        """A picture on white and its mask, uint8: lit by a random light, colours jittered."""
        light = sample_light(rng)
        lit = light.shade(colour.reshape(-1, 3), normals.reshape(-1, 3)).reshape(colour.shape)
        gain = 1 + self.colour_jitter * rng.uniform(-1, 1, 3)
        white = np.clip(lit * gain, 0, 1) * alpha + 1 - alpha
        return (
            np.round(255 * white).astype(np.uint8),
            np.round(255 * alpha[..., 0]).clip(0, 255).astype(np.uint8),
        )


class MeshStudio:
    """The same people by the mesh renderer: what a generator gives without a NeRF.

    Parameters
    ----------
    photographer : Photographer
    looks : M appearances
    betas : (M, K) tensor
    backdrop : Backdrop
    crowd : float
        Share of pictures with a second person.
    """

    def __init__(
        self,
        photographer: Photographer,
        looks: Sequence[Appearance],
        betas: torch.Tensor,
        backdrop: Backdrop,
        crowd: float,
    ) -> None:
        self.photographer = photographer
        self.looks = looks
        self.betas = betas
        self.backdrop = backdrop
        self.crowd = crowd

    def shoot(
        self, drawn: Drawn, subject: torch.Tensor, rngs: Sequence[np.random.Generator]
    ) -> ImageSet:
        """Pictures of every pose with their labels, as many as `rngs` has for each."""
        again = torch.arange(len(subject)).repeat_interleave(len(rngs) // len(subject))
        drawn, subject = drawn.cpu().of(again), subject[again]
        camera = torch.cat([torch.rad2deg(drawn.camera[:, :3]), drawn.camera[:, 3:]], dim=1)
        looks = [
            replace(self.looks[who], light=sample_light(rng))
            for who, rng in zip(subject.tolist(), rngs, strict=True)
        ]
        return self.photographer.photograph(
            (drawn.pose[:, :3].numpy(), drawn.pose[:, 3:].numpy(), self.betas[subject].numpy()),
            camera.numpy(),
            looks,
            self.backdrop,
            rngs,
            (np.full(len(subject), "rendered"), subject.numpy()),
            self.crowd,
        )


def unlit(shown: Rendering, span: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Colour (S, S, 3), unit normals (S, S, 3) and coverage (S, S, 1) of one rendered picture.

    Parameters
    ----------
    shown : Rendering
        Of shapes (S, S, 3) and (S, S), on the CPU.
    span : float
        Metres that a pixel covers.
    """
    colour, opacity, depth = (value.numpy() for value in shown)
    solid = np.maximum(opacity, 1e-3)[..., None]
    normals = depth_normals(depth / solid[..., 0], opacity, span)
    return colour / solid, normals, np.where(opacity < _OPAQUE, 0, opacity)[..., None]


def depth_normals(depth: np.ndarray, opacity: np.ndarray, span: float) -> np.ndarray:
    """Unit normals (S, S, 3) of a depth map (S, S) in metres, z towards the camera.

    Parameters
    ----------
    opacity : (S, S)
        Differences are taken towards the more opaque neighbour, so that outlines stay round.
    span : float
        Metres that a pixel covers.
    """
    slopes = []
    for axis in (1, 0):
        ahead = np.roll(depth, -1, axis) - depth
        behind = depth - np.roll(depth, 1, axis)
        weight_ahead, weight_behind = np.roll(opacity, -1, axis), np.roll(opacity, 1, axis)
        weight = np.maximum(weight_ahead + weight_behind, 1e-6)
        slopes.append((ahead * weight_ahead + behind * weight_behind) / weight / span)
    # Rows run downward, y upward.
    return unit(np.stack([-slopes[0], slopes[1], np.ones_like(depth)], axis=-1)).astype(np.float32)
