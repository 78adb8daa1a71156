"""Era3D's regression of the input camera from the middle of the network.

Only Era3D's weights for perspective pictures have it; its `-ortho` weights and PSHuman's do not
(fact sheet DrPose 4.1 and 4.6; equations read in the source of `UNetMV2DConditionModel.forward`).
"""

import torch
import torch.nn.functional as F
from diffusers.models.embeddings import TimestepEmbedding
from torch import nn

from poseloop.multiview.pshuman.config import UNetConfig


class _ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(channels, channels)
        self.linear2 = nn.Linear(channels, channels)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return F.silu(hidden + self.linear2(F.silu(self.linear1(hidden))))


class _Regressor(nn.Module):
    """A perceptron with residual blocks and one output."""

    def __init__(self, in_channels: int, channels: int, blocks: int) -> None:
        super().__init__()
        self.linear_in = nn.Linear(in_channels, channels)
        self.blocks = nn.ModuleList(_ResidualBlock(channels) for _ in range(blocks))
        self.linear_out = nn.Linear(channels, 1)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        hidden = F.silu(self.linear_in(hidden))
        for block in self.blocks:
            hidden = block(hidden)
        return self.linear_out(hidden)


class CameraRegression(nn.Module):
    """Regress the camera from pooled features, and embed it for the way up."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.regressors = nn.ModuleDict(
            {
                name: _Regressor(
                    2 * config.channels[-1], config.regressor_channels, config.regressor_blocks
                )
                for name in config.regressed
            }
        )
        self.embedding = TimestepEmbedding(2 * len(config.regressed), 4 * config.channels[0])

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The camera and its embedding from features (B, slots, 2, C, h, w); no gradient to them.

        Returns
        -------
        camera (B, K), one column per regressed quantity in the unit of its training, unknown here;
        embedding (B, E)
        """
        pooled = features.detach().mean((-2, -1)).flatten(2)
        camera = torch.cat([regressor(pooled) for regressor in self.regressors.values()], dim=-1)
        camera = camera.mean(1)
        return camera, self.embedding(torch.cat([camera.sin(), camera.cos()], dim=-1))
