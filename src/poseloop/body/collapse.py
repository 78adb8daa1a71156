"""SMPL-H and SMPL-X as bodies of SMPL's 24 joints."""

import numpy as np

from poseloop.body.joints import JOINT, PARENTS

_FINGER_JOINTS = 15
_MIDDLE_KNUCKLE = 3  # of a hand's joints: index 1-3, then middle 1-3, pinky, ring, thumb
_FIRST_FINGER = {"smplh": 22, "smplx": 25}  # SMPL-X has jaw and eyes before
JOINT_COUNTS = {"smpl": 24, "smplh": 52, "smplx": 55}
"""Joints of each model type."""


def collapse(arrays: dict[str, np.ndarray], model_type: str) -> dict[str, np.ndarray]:
    """Merge fingers into the hands and face joints into the head.

    The result is exact for flat hands and a closed mouth: a joint that does not turn moves its
    vertices as its parent does, and adds no pose blend shape. `left_hand` and `right_hand` take
    the place of the first middle knuckles.
    """
    if model_type == "smpl":
        return arrays
    first = _FIRST_FINGER[model_type]
    left, right = first, first + _FINGER_JOINTS
    source = [*range(22), left + _MIDDLE_KNUCKLE, right + _MIDDLE_KNUCKLE]
    # Of Booleans and small whole numbers there is no sum.
    kind = np.result_type(arrays["weights"], np.float32)
    weights = np.zeros((len(arrays["v_template"]), 24), kind)
    weights[:, :22] = arrays["weights"][:, :22]
    weights[:, JOINT["head"]] += arrays["weights"][:, 22:left].sum(1)
    weights[:, JOINT["left_hand"]] = arrays["weights"][:, left:right].sum(1)
    weights[:, JOINT["right_hand"]] = arrays["weights"][:, right:].sum(1)
    posedirs = np.zeros((*arrays["posedirs"].shape[:2], 207), arrays["posedirs"].dtype)
    posedirs[..., : 9 * 21] = arrays["posedirs"][..., : 9 * 21]
    return {
        **arrays,
        "weights": weights,
        "posedirs": posedirs,
        "J_regressor": arrays["J_regressor"][source],
        "kintree_table": np.array([PARENTS, range(24)], np.int64),
    }
