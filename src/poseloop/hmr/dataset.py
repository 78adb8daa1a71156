"""Pictures and bodies as tensors."""

from dataclasses import dataclass

import roma
import torch
from torch import Tensor, nn

from poseloop.hmr.encoder import Encoder, Features
from poseloop.hmr.skeleton_body import Bodies
from poseloop.hmr.store import Labels, Pictures


def picture_tensor(pictures: Pictures, rows: Tensor | slice = slice(None)) -> Tensor:
    """Pictures (B, 3, S, S) in [0, 1]."""
    image = torch.from_numpy(pictures.image[rows])
    return image.permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last) / 255


def bodies_of(labels: Labels) -> Bodies:
    """Labels as rotation matrices, betas and cameras."""
    pose = torch.cat(
        [torch.from_numpy(labels.global_orient), torch.from_numpy(labels.body_pose)], 1
    )
    return Bodies(
        roma.rotvec_to_rotmat(pose.view(-1, 24, 3)),
        torch.from_numpy(labels.betas),
        torch.from_numpy(labels.camera),
    )


@dataclass(frozen=True)
class Encoded:
    """Pictures as a frozen encoder sees them: features of N pictures, intrinsics (N, 3)."""

    features: Features
    intrinsics: Tensor

    def __len__(self) -> int:
        return len(self.intrinsics)

    def __getitem__(self, rows: Tensor | slice) -> "Encoded":
        return Encoded(self.features.of(rows), self.intrinsics[rows])


@torch.no_grad()
def encode_pictures(encoder: Encoder, pictures: Pictures, batch: int = 64) -> Encoded:
    """Run a frozen encoder once over all pictures; what it makes of them stays on its device."""
    parts = [
        encoder(picture_tensor(pictures, slice(start, start + batch)).to(encoder.device))
        for start in range(0, len(pictures), batch)
    ]
    joined = Features(*(torch.cat(values) for values in zip(*parts, strict=True)))
    return Encoded(joined, torch.from_numpy(pictures.intrinsics).to(encoder.device))


def freeze(module: nn.Module) -> nn.Module:
    """The module in evaluation mode, without gradients."""
    return module.eval().requires_grad_(False)
