"""What carving takes from views, and which views it refuses."""

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_carving import AZIMUTHS, SIZE, ball, pictures_of, silhouettes, targets_of

from poseloop.reconstruct.pictures import read_views
from poseloop.reconstruct.rendering import vertex_normals
from poseloop.reconstruct.targets import refusal, sharpen, unequal_sizes, vectors
from poseloop.reconstruct.visibility import raycast_visibility, to_views
from poseloop.runtime.errors import UserError


def test_sure_views_stay_and_unsure_ones_gain_contrast():
    picture = pictures_of(*ball([0.3, 0.3, 0.3]))[0]
    field = vectors(picture)
    np.testing.assert_allclose(sharpen(field), field, atol=0.02)
    weak = sharpen(0.6 * field)
    np.testing.assert_allclose(weak, field, atol=0.03)
    assert (sharpen(np.zeros((4, 4, 3))) == 0).all()


def test_certainty_is_the_length_that_the_normals_were_given():
    picture = pictures_of(*ball([0.3, 0.3, 0.3]))
    faint = np.rint(128 + 0.6 * (picture.astype(float) - 128)).astype(np.uint8)
    sure, unsure = targets_of(picture), targets_of(faint)
    assert sure.certainty == pytest.approx(1, abs=0.01)
    assert unsure.certainty == pytest.approx(0.6, abs=0.01)
    np.testing.assert_allclose(unsure.mask, sure.mask, atol=0.03)


def test_bad_views_are_refused_with_the_reason():
    normal = list(pictures_of(*ball([0.3, 0.3, 0.3])))
    assert unequal_sizes(normal, normal) is None
    small = [*normal[:5], normal[5][::2, ::2]]
    assert unequal_sizes(small, normal) == "views of different sizes (24 x 24, 48 x 48)"
    assert refusal(silhouettes(normal), AZIMUTHS) is None
    blank = silhouettes([*normal[:2], np.full_like(normal[2], 128), *normal[3:]])
    assert refusal(blank, AZIMUTHS) == "the view at 90 degrees has an empty mask"
    wide = silhouettes(pictures_of(*ball([0.6, 0.3, 0.3])))
    assert refusal(wide, AZIMUTHS) == "the view at 0 degrees has a mask that touches the border"


def test_normals_of_a_view_face_its_camera():
    vertices, faces = ball([0.2, 0.3, 0.25])
    vertices, faces = torch.from_numpy(vertices), torch.from_numpy(faces)
    visible = raycast_visibility(AZIMUTHS, SIZE)(vertices, faces)
    towards = to_views(vertex_normals(vertices, faces), AZIMUTHS)[
        visible.pixel // SIZE**2, faces[visible.triangle, 0], 2
    ]
    assert (towards > -0.2).all()


def test_views_are_read_from_folders_of_pictures(tmp_path):
    normal = pictures_of(*ball([0.3, 0.3, 0.3]))
    for name in ("anna", "ben"):
        for azimuth, picture in zip(AZIMUTHS, normal, strict=True):
            for kind in ("normal", "rgb"):
                path = tmp_path / name / f"{kind}_{azimuth:03.0f}.png"
                path.parent.mkdir(exist_ok=True)
                Image.fromarray(picture).save(path)
    subjects = read_views(tmp_path, AZIMUTHS)
    assert len(subjects) == 2
    np.testing.assert_array_equal(np.stack(subjects[1][0]), normal)
    (tmp_path / "ben" / "rgb_090.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"rgb_090.png: not a readable picture"):
        read_views(tmp_path, AZIMUTHS)
    (tmp_path / "ben" / "rgb_090.png").unlink()
    with pytest.raises(UserError, match=r"rgb_090.png: picture not found"):
        read_views(tmp_path, AZIMUTHS)


def test_views_of_a_file_must_be_those_of_the_config(tmp_path):
    normal = np.zeros((2, 6, 8, 8, 3), np.uint8)
    np.savez(tmp_path / "a.npz", normal=normal, rgb=normal, azimuths=np.array(AZIMUTHS) + 5)
    with pytest.raises(UserError, match="views at"):
        read_views(tmp_path / "a.npz", AZIMUTHS)
    np.savez(tmp_path / "b.npz", normal=normal, rgb=normal[:, :4])
    with pytest.raises(UserError, match="rgb has 4 views, not 6"):
        read_views(tmp_path / "b.npz", AZIMUTHS)
    np.savez(tmp_path / "c.npz", normal=normal, rgb=normal)
    assert len(read_views(tmp_path / "c.npz", AZIMUTHS)) == 2
