"""LPIPS with AlexNet features, from weights that the user supplies.

The learned linear weights (6 kB) come with torchmetrics; the AlexNet backbone is torchvision's
`alexnet-owt-7be5be79.pth`, which no package carries, so without that file there is no LPIPS.
"""

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn

from poseloop.runtime.files import require_file
from poseloop.runtime.refusing import refusing
from poseloop.runtime.weights import read_torch

_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)


class Lpips(nn.Module):
    """Perceptual distance of Zhang et al. 2018, AlexNet variant, version 0.1.

    Parameters
    ----------
    backbone : path
        torchvision's AlexNet state dictionary.

    Raises
    ------
    UserError
        The file is missing or holds no AlexNet weights.
    """

    def __init__(self, backbone: str | Path) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
        )
        self.register_buffer("shift", torch.tensor(_SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(_SCALE).view(1, 3, 1, 1))
        path = require_file(backbone, "AlexNet weights")
        what, prefix = "not torchvision's AlexNet weights", "features."
        state = read_torch(path, what)
        with refusing(path, what):
            self.features.load_state_dict(
                {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            )
        folder = Path(find_spec("torchmetrics").origin).parent
        linear = torch.load(
            folder / "functional/image/lpips_models/alex.pth", map_location="cpu", weights_only=True
        )
        self.linear = [linear[f"lin{i}.model.1.weight"] for i in range(5)]
        self.requires_grad_(False).eval()

    @torch.no_grad()
    def forward(self, image: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Distance of each pair. (B, 3, S, S) pictures in [-1, 1] to (B,), lower is closer."""
        a, b = ((x - self.shift) / self.scale for x in (image, truth))
        total, taps = torch.zeros(len(image)), iter(self.linear)
        for layer in self.features:
            a, b = layer(a), layer(b)
            if isinstance(layer, nn.ReLU):
                gap = nn.functional.normalize(a, eps=1e-10) - nn.functional.normalize(b, eps=1e-10)
                total = total + (gap.square() * next(taps)).sum(1).mean((1, 2))
        return total
