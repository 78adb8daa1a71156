"""One subject from its views to its mesh, or to the reason why it has none."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh
from tiny_carving import (
    AZIMUTHS,
    CPU,
    ball,
    bodys_pictures,
    demo_config,
    few_steps,
    make_library,
    prepared,
)

from poseloop.reconstruct.body_fit import KINDS, Start, fit_body
from poseloop.reconstruct.starts import StartPoses
from poseloop.reconstruct.store import read_carved, write_carved, write_glb
from poseloop.reconstruct.subject import Carved, carve_subject, inside_frame


@pytest.fixture(scope="module")
def config():
    return demo_config()


def test_one_subject_from_views_to_mesh_and_one_refused(tmp_path, config):
    body, _, arrays, _ = make_library(tmp_path, config)
    tiny, starts = few_steps(config), StartPoses(arrays)
    normal = bodys_pictures(body)
    estimate = Start(torch.zeros(3), torch.zeros(69), KINDS[1])
    views = prepared(normal, starts, estimate, tiny)
    assert [start.kind for start in views.starts] == [KINDS[0]] * 2 + [KINDS[1]]
    carved = carve_subject(views, body, tiny, CPU)
    assert isinstance(carved, Carved)
    assert len(carved.colours) == len(carved.vertices) and carved.faces.max() < len(carved.vertices)
    assert np.isfinite(carved.fit).all() and carved.fit[0, 1] < carved.fit[0, 0]
    again = carve_subject(views, body, tiny, CPU)
    np.testing.assert_array_equal(carved.vertices, again.vertices)
    blank = np.full_like(normal, 128)
    refused = carve_subject(prepared(blank, starts, None, tiny), body, tiny, CPU)
    assert refused == "the view at 0 degrees has an empty mask"

    write_carved(tmp_path / "carved.npz", {0: carved, 3: refused, 5: carved})
    rows = read_carved(tmp_path / "carved.npz")
    assert list(rows) == [0, 3, 5] and rows[3] == refused
    for found in (rows[0], rows[5]):
        np.testing.assert_array_equal(found.vertices, carved.vertices)
        np.testing.assert_array_equal(found.faces, carved.faces)
        np.testing.assert_array_equal(found.fit, carved.fit)
    write_glb(tmp_path / "glb", {0: carved, 3: refused})
    assert [path.name for path in (tmp_path / "glb").iterdir()] == ["0000.glb"]
    mesh = trimesh.load(tmp_path / "glb" / "0000.glb", force="mesh", process=False)
    assert len(mesh.faces) == len(carved.faces)
    np.testing.assert_array_equal(mesh.visual.vertex_colors[:, :3], carved.colours)


def test_a_mesh_beyond_the_frame_is_noticed():
    vertices, _ = ball([0.3, 0.3, 0.3])
    assert inside_frame(vertices, AZIMUTHS)
    assert not inside_frame(vertices + [0.3, 0, 0], AZIMUTHS)


def test_a_body_that_leaves_the_frame_is_left_out(tmp_path, config, monkeypatch):
    body, _, arrays, _ = make_library(tmp_path, config)
    tiny = few_steps(config)
    views = prepared(bodys_pictures(body), StartPoses(arrays), None, tiny)

    def strayed(*arguments):
        found = fit_body(*arguments)
        return replace(found, vertices=found.vertices + torch.tensor([0.4, 0.0, 0.0]))

    monkeypatch.setattr("poseloop.reconstruct.subject.fit_body", strayed)
    assert carve_subject(views, body, tiny, CPU) == "the fitted body leaves the frame"


def test_unsure_views_are_carved_from_body_and_hull(tmp_path, config):
    body, _, arrays, _ = make_library(tmp_path, config)
    normal, starts = bodys_pictures(body), StartPoses(arrays)
    least = config.initial.certainty
    sure, unsure = (
        few_steps(config).model_copy(update={"initial": config.initial.model_copy(update=change)})
        for change in ({"certainty": 0.0}, {"certainty": 2.0})
    )
    assert 0 < least < 1
    meshes = [
        carve_subject(prepared(normal, starts, None, each), body, each, CPU)
        for each in (sure, unsure)
    ]
    # The stand-in hull is a bar from the middle down and up, which the union alone holds.
    assert len(meshes[0].vertices) != len(meshes[1].vertices)
