"""Names of parameters: those of the released checkpoints, and ours.

The released networks are diffusers' `UNet2DConditionModel` of version 0.27 whose transformer blocks
have two more modules: `norm_mv` and `attn_mv`, of the shapes of `norm1` and `attn1` (read in
PSHuman's source: its training can fill them from these). All else is called as in diffusers.
"""

import re

# Each pair is a name in the released checkpoint and ours: modules of a transformer block, modules
# at the top, parts of a path anywhere.
_BLOCK = (
    ("norm1", "joint_norm"),
    ("attn1", "joint_attention"),
    ("norm_mv", "row_norm"),
    ("attn_mv", "row_attention"),
    ("norm2", "prompt_norm"),
    ("attn2", "prompt_attention"),
    ("norm3", "feed_forward_norm"),
    ("ff", "feed_forward"),
)
_OTHER = (
    ("class_embedding", "picture_embedding"),
    ("camera_embedding", "camera.embedding"),
    ("elevation_regressor", "camera.regressors.elevation"),
    ("focal_regressor", "camera.regressors.focal"),
)
_PARTS = (
    ("to_out.0", "to_out"),
    ("linear_in.0", "linear_in"),
    ("downsamplers.0.conv", "downsample"),
    ("upsamplers.0.conv", "upsample"),
)


def from_released(name: str) -> str:
    """Our name of a parameter that a released checkpoint calls `name`."""
    head, dot, tail = name.partition(".transformer_blocks.")
    if dot:
        index, module, rest = tail.split(".", 2)
        name = f"{head}.blocks.{index}.{dict(_BLOCK).get(module, module)}.{rest}"
    for released, ours in _OTHER:
        name = re.sub(rf"^{released}\.", f"{ours}.", name)
    for released, ours in _PARTS:
        name = name.replace(f".{released}.", f".{ours}.")
    return name


def to_released(name: str) -> str:
    """The inverse of `from_released`."""
    for released, ours in _PARTS:
        name = name.replace(f".{ours}.", f".{released}.")
    for released, ours in _OTHER:
        name = re.sub(rf"^{re.escape(ours)}\.", f"{released}.", name)
    head, dot, tail = name.partition(".blocks.")
    if dot and ".attentions." in head:
        index, module, rest = tail.split(".", 2)
        inverse = {ours: released for released, ours in _BLOCK}
        name = f"{head}.transformer_blocks.{index}.{inverse.get(module, module)}.{rest}"
    return name
