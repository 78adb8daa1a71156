"""Small shapes, their views, and a library of start poses, for the tests of carving."""

import numpy as np
import torch
import trimesh
from tiny_data import make_body

from poseloop.data.poses import Poses
from poseloop.reconstruct.config import CarveConfig
from poseloop.reconstruct.rendering import visible_normals
from poseloop.reconstruct.starts import make_starts
from poseloop.reconstruct.subject import prepare_views
from poseloop.reconstruct.targets import make_targets
from poseloop.reconstruct.visibility import raycast_visibility
from poseloop.runtime.config import load_config

AZIMUTHS = [0.0, 45.0, 90.0, 180.0, 270.0, 315.0]
SIZE = 48
CPU = torch.device("cpu")


def demo_config():
    """Settings of carving at demo size."""
    return load_config("config/demo/carve.yaml", CarveConfig)


def pictures_of(vertices, faces, size=SIZE):
    """Normal pictures (C, S, S, 3) uint8, as a benchmark holds them."""
    vertices, faces = torch.as_tensor(vertices), torch.as_tensor(faces)
    visible = raycast_visibility(AZIMUTHS, size)(vertices, faces)
    normals = visible_normals(vertices, faces, visible, AZIMUTHS, size).numpy()
    picture = np.full((len(AZIMUTHS) * size**2, 3), 128, np.uint8)
    picture[visible.pixel.numpy()] = np.rint(normals * 127.5 + 127.5)
    return picture.reshape(len(AZIMUTHS), size, size, 3)


def silhouettes(pictures):
    """Where normal pictures (C, S, S, 3) show a body."""
    return (np.asarray(pictures) != 128).any(-1)


def targets_of(pictures, weights=(1.0,) * 6):
    return make_targets(pictures, silhouettes(pictures), AZIMUTHS, weights)


def ball(radii):
    mesh = trimesh.creation.icosphere(4)
    return np.array(mesh.vertices) * radii, np.array(mesh.faces)


def make_library(tmp_path, config):
    rng = np.random.default_rng(0)
    count = 12
    poses = Poses(
        np.zeros((count, 3), np.float32),
        rng.normal(0, 0.6, (count, 69)).astype(np.float32),
        np.full(count, "walk"),
        np.arange(count, dtype=np.int32),
        np.zeros(count, bool),
    )
    body = make_body(tmp_path)
    starts = config.starts.model_copy(update={"poses": 6, "yaws": (-30.0, 30.0), "size": 16})
    return body, poses, make_starts(body, poses, AZIMUTHS, starts), starts


def few_steps(config):
    return config.model_copy(
        update={
            "subjects": 3,
            "body": config.body.model_copy(update={"candidates": 2, "trial_steps": 2, "steps": 2}),
            "carving": config.carving.model_copy(update={"steps": 2}),
        }
    )


def framed(vertices):
    """Vertices (V, 3) centred, their box's diagonal one long."""
    low, high = vertices.amin(0), vertices.amax(0)
    return (vertices - (low + high) / 2) / (high - low).norm()


def bodys_pictures(body):
    """Normal pictures of the resting body, centred and scaled."""
    vertices = body(torch.zeros(1, 3), torch.zeros(1, 69)).vertices[0]
    return pictures_of(framed(vertices), body.faces)


def prepared(normal, starts, estimate, config):
    hull = np.zeros((32, 32, 32), np.float32)
    hull[14:18, 8:24, 14:18] = 1
    inside = silhouettes(normal)
    return prepare_views(normal, normal, inside, hull, 0.5, starts, estimate, config)
