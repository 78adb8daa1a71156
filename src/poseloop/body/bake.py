"""Turn sampled people into a body in SMPL's file format."""

import fast_simplification
import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

from poseloop.body.anny_source import RestShapes
from poseloop.body.joints import JOINT, PARENTS
from poseloop.body.regions import part_ids, region_ids

_ARM_CHILD = {
    JOINT[f"{side}_{joint}"]: (JOINT[f"{side}_{child}"], sign)
    for side, sign in (("left", 1.0), ("right", -1.0))
    for joint, child in (("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "hand"))
}
_RIDGE = 0.03
_SUM_WEIGHT = 10.0
_CANDIDATES = 16
_NO_EDGE = 1e-9  # an entry of zero would be no edge of the graph


def bake(
    shapes: RestShapes, faces: int, components: int, regressor_vertices: int
) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    """Make the arrays of an SMPL file, and a report of how well they describe the people.

    The template is the mean person in a T-pose, pelvis at the origin; the shape directions are
    the principal components of the people, each scaled to one standard deviation, so that betas
    are drawn from a standard normal distribution. There are no pose blend shapes (zeros).

    Parameters
    ----------
    shapes : RestShapes
        The sampled people.
    faces : int
        Triangles to keep. The simplified mesh takes its vertices from the full one and inherits
        their weights and shapes.
    components : int
        Number of betas.
    regressor_vertices : int
        How many of the nearest vertices may take part in regressing a joint.

    Returns
    -------
    arrays : dict
        SMPL's arrays, `parts` and `regions`.
    report : dict
        Joint errors in millimetres, explained variance, height in metres, sizes.
    """
    vertices, joints = t_pose(shapes.vertices, shapes.joints, shapes.weights)
    kept, triangles = decimate(vertices.mean(0), shapes.faces, faces)
    vertices, weights = vertices[:, kept], shapes.weights[kept]
    template, directions, explained = shape_space(vertices, components)
    regressor, errors = joint_regressor(vertices, joints, regressor_vertices)
    parts = part_ids(weights)
    kinematic_tree = np.array([PARENTS, range(24)], np.int64)
    kinematic_tree[0, 0] = 2**32 - 1  # as in SMPL's own files
    arrays = {
        "v_template": template.astype(np.float32),
        "shapedirs": directions.astype(np.float32),
        "posedirs": np.zeros((len(kept), 3, 207), np.float32),
        "J_regressor": regressor.astype(np.float32),
        "weights": weights.astype(np.float32),
        "f": triangles.astype(np.uint32),
        "kintree_table": kinematic_tree,
        "parts": parts,
        "regions": region_ids(template, parts),
    }
    report = {
        "joint_error_mm": {name: float(errors[index]) for name, index in JOINT.items()},
        "joint_error_mean_mm": float(errors.mean()),
        "explained_variance": float(explained),
        "height_m": float(np.ptp(template[:, 1])),
        "faces": len(triangles),
        "vertices": len(kept),
        "people": len(vertices),
    }
    return arrays, report


def t_pose(
    vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Straighten every person's arms along +x (left) and -x (right), pelvis at the origin.

    (N, V, 3), (N, 24, 3) and (V, 24) to (N, V, 3) and (N, 24, 3), metres.
    """
    count = len(joints)
    turns = np.tile(np.eye(3), (count, 24, 1, 1))
    posed = joints - joints[:, :1]
    for joint, parent in enumerate(PARENTS[1:], start=1):
        turns[:, joint] = turns[:, parent]
        bone = joints[:, joint] - joints[:, parent]
        posed[:, joint] = posed[:, parent] + np.einsum("nab,nb->na", turns[:, parent], bone)
        if joint in _ARM_CHILD:
            child, side = _ARM_CHILD[joint]
            outward = np.array([side, 0.0, 0.0])
            turns[:, joint] = rotation_between(joints[:, child] - joints[:, joint], outward)
    offsets = posed - np.einsum("njab,njb->nja", turns, joints)
    transforms = np.concatenate([turns, offsets[..., None]], axis=-1).reshape(count, 24, 12)
    straight = np.empty_like(vertices)
    for person in range(count):  # one at a time: all at once would need gigabytes
        blend = (weights @ transforms[person]).reshape(-1, 3, 4)
        straight[person] = np.einsum("vab,vb->va", blend[..., :3], vertices[person])
        straight[person] += blend[..., 3]
    return straight, posed


def rotation_between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Smallest rotation that turns direction `start` to `end`: (..., 3) to (..., 3, 3).

    The directions must not be opposite.
    """
    start = start / np.linalg.norm(start, axis=-1, keepdims=True)
    end = np.broadcast_to(end / np.linalg.norm(end, axis=-1, keepdims=True), start.shape)
    x, y, z = np.moveaxis(np.cross(start, end), -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1)
    cross = cross.reshape(*x.shape, 3, 3)
    cosine = (start * end).sum(-1)[..., None, None]
    return np.eye(3) + cross + cross @ cross / (1 + cosine)


def decimate(template: np.ndarray, faces: np.ndarray, target: int) -> tuple[np.ndarray, np.ndarray]:
    """Simplify a mesh to about `target` triangles whose vertices are vertices of the given one.

    Returns
    -------
    kept : (K,) int
        Vertices that stay, ascending.
    triangles : (F, 3) int
        Faces, as indices into `kept`.
    """
    if target >= len(faces):
        return np.arange(len(template)), faces
    points, triangles = fast_simplification.simplify(
        template.astype(np.float32), faces.astype(np.int32), target_count=target
    )
    # Each point takes another vertex, the nearest on the whole: were one taken twice, its faces
    # would collapse and the surface no longer be closed.
    distance, candidates = cKDTree(template).query(points, k=_CANDIDATES)
    rows = np.repeat(np.arange(len(points)), _CANDIDATES)
    graph = csr_matrix(
        (distance.ravel() + _NO_EDGE, (rows, candidates.ravel())), (len(points), len(template))
    )
    _, vertices = min_weight_full_bipartite_matching(graph)
    kept, indices = np.unique(vertices[triangles], return_inverse=True)
    return kept, indices.reshape(-1, 3)


def shape_space(vertices: np.ndarray, components: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Principal components of people: mean (V, 3), directions (V, 3, K), explained variance."""
    people = len(vertices)
    mean = vertices.mean(0)
    deviations = (vertices - mean).reshape(people, -1)
    # The people's Gram matrix is small where the vertices' covariance is not.
    values, vectors = np.linalg.eigh(deviations @ deviations.T)
    largest = np.argsort(values)[::-1][:components]
    directions = vectors[:, largest].T @ deviations / np.sqrt(people)
    # An eigenvector's sign is arbitrary: make the greatest entry positive.
    greatest = np.abs(directions).argmax(1)
    directions *= np.sign(directions[np.arange(len(largest)), greatest])[:, None]
    explained = values[largest].sum() / values.sum()
    return mean, directions.reshape(len(largest), -1, 3).transpose(1, 2, 0), explained


def joint_regressor(
    vertices: np.ndarray, joints: np.ndarray, nearest: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights that give the joints from the vertices, by ridge regression near each joint.

    Weights sum to one, so that joints move with the body; the ridge pulls them to equal shares.

    Returns
    -------
    regressor : (24, V)
    errors : (24,)
        Mean distance over the people, millimetres.
    """
    mean_vertices, mean_joints = vertices.mean(0), joints.mean(0)
    regressor = np.zeros((24, vertices.shape[1]))
    for joint in range(24):
        distance = np.linalg.norm(mean_vertices - mean_joints[joint], axis=1)
        near = np.argsort(distance, kind="stable")[:nearest]
        coordinates = vertices[:, near].transpose(0, 2, 1).reshape(-1, nearest)
        system = np.concatenate(
            [coordinates, _RIDGE * np.eye(nearest), np.full((1, nearest), _SUM_WEIGHT)]
        )
        target = np.concatenate(
            [joints[:, joint].reshape(-1), np.full(nearest, _RIDGE / nearest), [_SUM_WEIGHT]]
        )
        solution = np.linalg.lstsq(system, target, rcond=None)[0]
        regressor[joint, near] = solution / solution.sum()
    predicted = np.einsum("jv,nva->nja", regressor, vertices)
    return regressor, 1000 * np.linalg.norm(predicted - joints, axis=-1).mean(0)
