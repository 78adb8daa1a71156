"""A released network behind the call of this library's own denoiser."""

import torch
from torch import nn

from poseloop.multiview.pshuman.unet import MultiViewUNet


class ReleasedDenoiser(nn.Module):
    """A released U-Net with its fixed prompts.

    `bind` gives the call of `MultiViewDenoiser`, so that `sampler.sample` and the reward's gradient
    steps take it as they take the small one.
    """

    def __init__(self, unet: MultiViewUNet, prompts: torch.Tensor) -> None:
        super().__init__()
        self.unet = unet
        self.register_buffer("prompts", prompts, persistent=False)

    def bind(self, picture: torch.Tensor, face_latents: torch.Tensor | None = None) -> nn.Module:
        """The denoiser of one batch of subjects.

        Parameters
        ----------
        picture : (B, P) or, with the face's own embedding as the last, (B, slots, P); see
            `conditions.picture_condition`
        face_latents : (B, C, h, w) latents of the enlarged face window; only with a face slot

        Raises
        ------
        ValueError
            Latents of a face are given to a network without its slot, or the other way round.
        """
        if (face_latents is not None) != self.unet.config.face:
            raise ValueError("face_latents belong to a network with a face slot, and only to it")
        return _Bound(self, picture, face_latents)


class _Bound(nn.Module):
    """A network with a batch's pictures: latents, timesteps and image latents to v."""

    def __init__(
        self, denoiser: ReleasedDenoiser, picture: torch.Tensor, face_latents: torch.Tensor | None
    ) -> None:
        super().__init__()
        self.denoiser = denoiser
        self.picture, self.face_latents = picture, face_latents

    def forward(
        self, latents: torch.Tensor, timesteps: torch.Tensor, image_latents: torch.Tensor
    ) -> torch.Tensor:
        """Predict v.

        Parameters
        ----------
        latents : (B, slots, 2, C, h, w)
        timesteps : (B,)
        image_latents : (B, C, h, w); a subject whose latents are all zero has no picture, and then
            neither its embedding nor its face is shown (fact sheet DrPose 4.4)

        Returns
        -------
        (B, slots, 2, C, h, w)
        """
        unet = self.denoiser.unet
        shown = image_latents.flatten(1).any(1)
        given = image_latents[:, None].expand(-1, unet.config.views, -1, -1, -1)
        if self.face_latents is not None:
            face = self.face_latents * shown[:, None, None, None]
            given = torch.cat([given, face[:, None]], dim=1)
        picture = self.picture[:, None] if self.picture.dim() == 2 else self.picture
        picture = picture.expand(-1, unet.config.slots, -1) * shown[:, None, None]
        dtype = unet.conv_in.weight.dtype
        v = unet(
            latents.to(dtype),
            timesteps,
            given.to(dtype),
            picture.to(dtype),
            self.denoiser.prompts.to(dtype),
        )
        return v.to(latents.dtype)
