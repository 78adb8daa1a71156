"""PoseScore's predicted skeleton maps beside their targets."""

import numpy as np
from matplotlib.figure import Figure

from poseloop.body.joints import BONES, JOINT_NAMES
from poseloop.report.style import COLOURS, new_figure
from poseloop.runtime.errors import UserError

_SIDES = {"left": COLOURS[1], "right": COLOURS[2]}
_MIDDLE = COLOURS[3]


def bone_colours() -> np.ndarray:
    """Colour of each bone by its side: left blue, right orange, middle green. (23, 3) in [0, 1]."""
    names = [JOINT_NAMES[child].split("_")[0] for _, child in BONES]
    codes = [_SIDES.get(name, _MIDDLE) for name in names]
    return np.array([[int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for code in codes])


def paint(maps: np.ndarray) -> np.ndarray:
    """Colour picture of skeleton maps on white: the strongest bone of each pixel.

    Parameters
    ----------
    maps : (23, s, s) array
        In [0, 1].

    Returns
    -------
    (s, s, 3) array
        In [0, 1].
    """
    maps = np.clip(maps.astype(np.float32), 0, 1)
    strength = maps.max(0)[..., None]
    return 1 - strength + strength * bone_colours()[maps.argmax(0)]


def draw_skeletons(examples: dict[str, np.ndarray]) -> Figure:
    """Three rows: picture, target and prediction; one column per example.

    Parameters
    ----------
    examples : dict
        `rgb` (M, S, S, 3) uint8; `target` and `predicted` (M, 23, s, s) in [0, 1].

    Raises
    ------
    UserError
        The arrays do not belong together.
    """
    rgb, target, predicted = (examples[name] for name in ("rgb", "target", "predicted"))
    if not len(rgb) == len(target) == len(predicted) or target.shape[1] != len(BONES):
        raise UserError("examples: rgb, target and predicted must hold the same M and 23 bones")
    rows = [
        ("picture", rgb),
        ("target", [paint(maps) for maps in target]),
        ("PoseScore", [paint(maps) for maps in predicted]),
    ]
    with new_figure(1.15 * len(rgb) + 0.4, 3.9) as figure:
        axes = figure.subplots(3, len(rgb), squeeze=False)
        for line, (label, pictures) in zip(axes, rows, strict=True):
            for axis, picture in zip(line, pictures, strict=True):
                axis.imshow(picture, interpolation="nearest")
                axis.set(xticks=[], yticks=[])
            line[0].set_ylabel(label)
        figure.suptitle("Skeleton maps: left limbs blue, right limbs orange, trunk green")
    return figure
