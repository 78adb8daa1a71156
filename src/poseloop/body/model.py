"""One body model over smplx's skinning, whatever file it comes from."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from smplx.lbs import blend_shapes, lbs, vertices2joints
from torch import Tensor, nn

from poseloop.body.files import read_body
from poseloop.body.joints import PARENTS


class BodyOutput(NamedTuple):
    """A posed body, metres: vertices (B, V, 3) and the 24 joints (B, 24, 3)."""

    vertices: Tensor
    joints: Tensor


class BodyModel(nn.Module):
    """SMPL's skinning with 24 joints.

    Parameters
    ----------
    arrays : dict
        From `files.read_body`.

    Attributes
    ----------
    faces : (F, 3) int64
    parts, regions : (V,) int8 arrays
        Joint that moves a vertex, and its region for clothing (`regions.REGIONS`).
    num_betas : int
    """

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.faces = arrays["f"].astype(np.int64)
        self.parts = arrays["parts"]
        self.regions = arrays["regions"]
        self.num_betas = arrays["shapedirs"].shape[-1]
        posedirs = arrays["posedirs"].reshape(-1, arrays["posedirs"].shape[-1]).T
        for name, value in (
            ("v_template", arrays["v_template"]),
            ("shapedirs", arrays["shapedirs"]),
            ("posedirs", np.ascontiguousarray(posedirs)),
            ("joint_regressor", arrays["J_regressor"]),
            ("weights", arrays["weights"]),
            ("parents", np.asarray(PARENTS)),
        ):
            self.register_buffer(name, torch.from_numpy(value.copy()))

    def forward(
        self,
        global_orient: Tensor | None = None,
        body_pose: Tensor | None = None,
        betas: Tensor | None = None,
        transl: Tensor | None = None,
    ) -> BodyOutput:
        """Pose bodies; what is not given is zero, and a batch of one serves the whole batch.

        global_orient (B, 3) and body_pose (B, 69) are axis-angle in radians, betas (B, K),
        transl (B, 3) metres.
        """
        given = [value for value in (global_orient, body_pose, betas, transl) if value is not None]
        batch = max(map(len, given), default=1)

        def full(value: Tensor | None, size: int) -> Tensor:
            if value is None:
                return self.v_template.new_zeros(batch, size)
            return value.expand(batch, size)

        pose = torch.cat([full(global_orient, 3), full(body_pose, 69)], dim=1)
        vertices, joints = lbs(
            full(betas, self.num_betas),
            pose,
            self.v_template,
            self.shapedirs,
            self.posedirs,
            self.joint_regressor,
            self.parents,
            self.weights,
        )
        offset = full(transl, 3).unsqueeze(1)
        return BodyOutput(vertices + offset, joints + offset)

    def rest_joints(self, betas: Tensor | None = None) -> Tensor:
        """Joints of the rest pose: (B, K) to (B, 24, 3), metres; without betas (1, 24, 3)."""
        vertices = self.v_template.unsqueeze(0)
        if betas is not None:
            vertices = vertices + blend_shapes(betas, self.shapedirs)
        return vertices2joints(self.joint_regressor, vertices)


def load_body(path: str | Path, model_type: str = "smpl") -> BodyModel:
    """Load a body from a file or model folder; arguments and errors as in `files.read_body`."""
    return BodyModel(read_body(path, model_type))
