"""How wrong a denoised body is: the one error that training, fine-tuning and DPO share."""

from torch import Tensor, nn

from poseloop.hmr.config import LossConfig
from poseloop.hmr.parameters import Parameters


def masked_mean(squares: Tensor, mask: Tensor) -> Tensor:
    """Mean over the entries (T, C) that exist: (..., T, C) to (...).

    The released code divides by all entries, so masked ones dilute it (fact sheet ADHMR 10).
    """
    return (squares * mask).sum((-2, -1)) / mask.sum()


class DenoisingError(nn.Module):
    """Squared error of tokens and of the joints that they stand for.

    Parameters
    ----------
    layout : Parameters
    config : LossConfig
    """

    def __init__(self, layout: Parameters, config: LossConfig) -> None:
        super().__init__()
        self.layout, self.config = layout, config

    def forward(
        self, predicted: Tensor, target: Tensor, target_joints: Tensor, intrinsics: Tensor
    ) -> Tensor:
        """Errors (B, M) of tokens (B, M, T, C).

        Parameters
        ----------
        target_joints : (B, M, 24, 3)
            From the pelvis, metres (`joints_of`).
        intrinsics : (B, 3)
        """
        error = masked_mean((predicted - target).square(), self.layout.mask)
        if not self.config.joints:
            return error
        joints = self.joints_of(predicted, intrinsics)
        apart = (joints - target_joints).square().sum(-1).mean(-1)
        return error + self.config.joints * apart

    def joints_of(self, tokens: Tensor, intrinsics: Tensor) -> Tensor:
        """Joints (B, M, 24, 3) of tokens (B, M, T, C)."""
        return self.layout.body.joints(self.layout.decode(tokens, intrinsics[:, None]))
