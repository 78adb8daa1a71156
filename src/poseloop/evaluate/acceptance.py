"""From drawn frames to a pose set: those that passed the check, in the model's input convention."""

import numpy as np

from poseloop.data.clipset import ClipSet
from poseloop.data.store import PoseSet, SelectedPoses
from poseloop.data.windows import crop_windows
from poseloop.evaluate.masks import colour_masks


def accept_frames(errors: np.ndarray, pose: np.ndarray, threshold: float) -> np.ndarray:
    """Which frames (N, F) show a selected pose and show it well enough.

    Parameters
    ----------
    errors : (N, F) array
        From `keypoints.joint_errors`, millimetres.
    pose : (N, F) array
        As in `ClipSet`.
    threshold : float
        Millimetres.
    """
    return (pose >= 0) & (errors <= threshold)


def drawn_pose_set(
    clips: ClipSet,
    frames: np.ndarray,
    accepted: np.ndarray,
    selected: SelectedPoses,
    contrast: float,
) -> tuple[PoseSet, np.ndarray]:
    """The accepted frames as a pose set, in place of the renderer's pictures.

    Every frame is cut to the scale of its own pose. Its mask is what differs from white, and the
    body's own outline, which a white shirt needs.

    Parameters
    ----------
    clips : ClipSet
        The pose set's sequences.
    frames : (N, F, S, S, 3) uint8
        Drawn for them.
    accepted : (N, F) bool
    selected : SelectedPoses
        The poses that `clips.pose` counts.
    contrast : float
        As in `masks.colour_masks`.

    Returns
    -------
    PoseSet of M pictures, and (M,) int32, which selected pose each shows. M is zero where no frame
    was accepted, as of a model that has hardly learned: the report's rejection rate is then 1.
    """
    pose, window = clips.pose[accepted], clips.window[accepted]
    rgb = crop_windows(frames[accepted], window, 255)
    body = crop_windows(clips.parts[accepted], window, 0).max(-1)
    mask = np.maximum(np.round(255 * colour_masks(rgb, contrast)).astype(np.uint8), body)
    sequence = np.nonzero(accepted)[0]
    shown = selected[pose]
    return (
        PoseSet(
            input_rgb=rgb,
            input_mask=mask,
            joints=clips.joints[accepted],
            metres_per_unit=clips.metres_per_unit[accepted],
            global_orient=clips.global_orient[accepted],
            body_pose=clips.body_pose[accepted],
            betas=clips.betas[sequence],
            clip=shown.clip,
            frame=shown.frame,
            body_id=clips.body_id[sequence],
            ordinary=shown.ordinary,
        ),
        pose,
    )
