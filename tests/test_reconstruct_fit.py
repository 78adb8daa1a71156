"""The body that is fitted to the views, and the poses from which the fit starts."""

import numpy as np
import pytest
import torch
from tiny_carving import (
    AZIMUTHS,
    SIZE,
    bodys_pictures,
    demo_config,
    framed,
    make_library,
    pictures_of,
    prepared,
    silhouettes,
    targets_of,
)
from tiny_data import make_body

from poseloop.reconstruct.body_fit import KINDS, Start, fit_body
from poseloop.reconstruct.starts import (
    StartPoses,
    make_starts,
    read_estimates,
    read_starts,
    write_starts,
)
from poseloop.reconstruct.targets import make_targets
from poseloop.reconstruct.visibility import raycast_visibility
from poseloop.runtime.errors import UserError


@pytest.fixture(scope="module")
def config():
    return demo_config()


def test_the_fit_finds_a_pose_from_another_one(tmp_path, config):
    body = make_body(tmp_path)
    pose = torch.zeros(1, 69)
    pose[0, [47, 50]] = torch.tensor([-0.5, 0.5])  # both shoulders, up or down
    zero = torch.zeros(1, 3)
    truth = framed(body(zero, pose).vertices[0])
    targets = targets_of(pictures_of(truth, body.faces), config.view_weights)
    see = raycast_visibility(AZIMUTHS, SIZE)
    settings = config.body.model_copy(update={"trial_steps": 5, "steps": 40, "pose_weight": 0.01})
    wrong = torch.zeros(69)
    wrong[[47, 50]] = torch.tensor([2.0, -2.0])
    starts = [Start(zero[0], wrong), Start(zero[0], torch.zeros(69), KINDS[1])]
    found = fit_body(body, starts, targets, see, settings)
    assert found.trials[KINDS[1]] < found.trials[KINDS[0]]
    fitted = found.vertices
    still = settings.model_copy(update={"learning_rate": 1e-9, "shape_learning_rate": 1e-9})
    unfitted = fit_body(body, starts, targets, see, still).vertices

    def error(vertices):
        return (vertices - truth).norm(dim=1).mean()

    # The better start is chosen, and the fit goes on from there.
    assert error(unfitted) < 0.1
    assert error(fitted) < 0.6 * error(unfitted)


def test_start_poses_are_found_by_their_pictures(tmp_path, config):
    body, poses, arrays, starts = make_library(tmp_path, config)
    assert arrays["body_pose"].shape == (12, 69)
    write_starts(tmp_path / "starts.npz", arrays)
    library = read_starts(tmp_path / "starts.npz")
    for index in (0, 7):
        pose = torch.from_numpy(arrays["body_pose"][index])[None]
        orient = torch.from_numpy(arrays["global_orient"][index])[None]
        vertices = framed(body(orient, pose).vertices[0])
        best = library.nearest(targets_of(pictures_of(vertices, body.faces)), 1)[0]
        assert torch.equal(best.global_orient, orient[0])
        assert torch.equal(best.body_pose, pose[0])
    pictures = pictures_of(vertices, body.faces)[:3]
    other = make_targets(pictures, silhouettes(pictures), AZIMUTHS[:3], [1.0] * 3)
    with pytest.raises(ValueError, match="other views"):
        library.nearest(other, 1)
    with pytest.raises(UserError, match="starts.poses: 99 asked of 24"):
        make_starts(body, poses, AZIMUTHS, starts.model_copy(update={"poses": 99}))


def test_estimated_poses_join_the_library_or_replace_it(tmp_path, config):
    body, _, arrays, _ = make_library(tmp_path, config)
    normal, starts = bodys_pictures(body), StartPoses(arrays)
    pose = np.zeros((2, 69), np.float32)
    content = {"global_orient": pose[:, :3], "body_pose": pose, "found": np.array([True, False])}
    np.savez(tmp_path / "poses.npz", **content)
    estimate, nobody = read_estimates(tmp_path / "poses.npz")
    assert nobody is None and estimate.kind == KINDS[1]
    alone = config.model_copy(
        update={"starts": config.starts.model_copy(update={"kinds": ("estimate",)})}
    )
    kinds = [start.kind for start in prepared(normal, starts, estimate, alone).starts]
    assert kinds == [KINDS[1]]
    # Nobody was found in the picture: the library serves.
    kinds = [start.kind for start in prepared(normal, starts, nobody, alone).starts]
    assert kinds == [KINDS[0]] * config.body.candidates
    np.savez(tmp_path / "bad.npz", **content | {"body_pose": np.full((2, 69), np.nan)})
    with pytest.raises(UserError, match=r"bad.npz: not one pose of 24 finite rotations"):
        read_estimates(tmp_path / "bad.npz")
