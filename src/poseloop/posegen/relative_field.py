"""The skeleton-relative field of A-NeRF (fact sheet PoseGen 7.1 to 7.3), one network per subject.

Every sample is described by its distance from and direction in the frame of each of the 24 joints;
distances pass a window, so that far joints do not matter. Two networks, coarse and fine, with
importance samples in between.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from poseloop.body.joints import PARENTS
from poseloop.posegen.config_nerf import RelativeFieldConfig
from poseloop.posegen.field import Rendering, Scene, composite
from poseloop.runtime.kernels import running_sum

# Rays at a time: what their samples need fits a processor's cache.
_RAYS = 128
# Points on each bone: less than the near-far margin apart.
_ALONG = (0.25, 0.5, 0.75, 1.0)
# Density, 1/m, of a raw value of one: opaque within a limb.
_DENSITY = 25.0


class RelativeNetwork(nn.Module):
    """Encoding (N, E), view directions (N, 72) to raw density (N,) and colour (N, 3)."""

    def __init__(self, config: RelativeFieldConfig) -> None:
        super().__init__()
        encoded = 24 * (1 + 2 * config.frequencies) + 72
        width, self.skip = config.width, config.depth // 2
        self.layers = nn.ModuleList(
            nn.Linear(
                encoded if i == 0 else width + (encoded if i == self.skip else 0),
                width,
            )
            for i in range(config.depth)
        )
        self.density = nn.Linear(width, 1)
        self.colour = nn.Sequential(
            nn.Linear(width + 72, width // 2), nn.ReLU(), nn.Linear(width // 2, 3)
        )

    def forward(self, encoded: Tensor, views: Tensor) -> tuple[Tensor, Tensor]:
        """Density is relu's input; colour is in [0, 1]."""
        hidden = encoded
        for index, layer in enumerate(self.layers):
            if index == self.skip and index > 0:
                hidden = torch.cat([hidden, encoded], dim=1)
            hidden = F.relu(layer(hidden))
        colour = torch.sigmoid(self.colour(torch.cat([hidden, views], dim=1)))
        return self.density(hidden)[:, 0], colour * 1.002 - 0.001


def _octaves(angle: Tensor, count: int) -> list[Tensor]:
    """Sines of `angle` times 1, 2, 4 and so on, then cosines, by doubling."""
    sines, cosines = [angle.sin()], [angle.cos()]
    for _ in range(count - 1):
        sine, cosine = sines[-1], cosines[-1]
        sines.append(2 * sine * cosine)
        cosines.append(1 - 2 * sine * sine)
    return sines + cosines


class RelativeField(nn.Module):
    """Coarse and fine networks of M subjects.

    Attributes
    ----------
    sharpness : float buffer
        The window's tau; rises over training.
    """

    def __init__(self, config: RelativeFieldConfig, subjects: int) -> None:
        super().__init__()
        self.config = config
        self.coarse = nn.ModuleList(RelativeNetwork(config) for _ in range(subjects))
        self.fine = nn.ModuleList(RelativeNetwork(config) for _ in range(subjects))
        self.register_buffer("sharpness", torch.tensor(20.0))

    @property
    def device(self) -> torch.device:
        """Where its networks are."""
        return self.sharpness.device

    def render(self, scene: Scene, size: int) -> Rendering:
        """Pictures of `size` pixels of every scene, without random samples."""
        pictures = []
        for row in range(len(scene.subject)):
            one = scene[row : row + 1]
            pixels = torch.arange(size * size, device=self.device)
            parts = [self.trace(one, chunk, size, None)[1] for chunk in pixels.split(_RAYS)]
            pictures.append([torch.cat(values) for values in zip(*parts, strict=True)])
        colour, opacity, depth = (torch.stack(values) for values in zip(*pictures, strict=True))
        return Rendering(
            colour.unflatten(1, (size, size)),
            opacity.unflatten(1, (size, size)),
            depth.unflatten(1, (size, size)),
        )

    def trace(
        self, scene: Scene, pixels: Tensor, size: int, generator: torch.Generator | None
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Colour, opacity and depth of some pixels (R,) of one scene, coarse and fine.

        Rays that miss the cylinder around the skeleton are not sampled. With a generator samples
        are jittered within their strata, as in training.
        """
        device = self.device
        axis = (torch.arange(size, device=device) + 0.5) / size - 0.5
        xy = torch.stack([axis[pixels % size], -axis[pixels // size]], dim=-1)
        plane = F.pad(xy, (0, 1)) * scene.size
        slope = -plane / scene.distance + plane.new_tensor([0.0, 0.0, 1.0])
        skeleton = scene.joints[0] - scene.centre[0]
        near, far, hit = self._near_far(plane, slope, skeleton)
        results = []
        rays = hit.nonzero()[:, 0]
        edges = torch.linspace(0, 1, self.config.coarse + 1, device=device)
        shift = torch.full((len(rays), self.config.coarse), 0.5, device=device)
        if generator is not None:
            shift = torch.rand(shift.shape, generator=generator).to(device)
        share = edges[:-1] + shift / self.config.coarse
        z = near[rays, None] + (far - near)[rays, None] * share
        subject = int(scene.subject[0])
        weights = torch.ones_like(z)
        for network in (self.coarse[subject], self.fine[subject]):
            if results:
                z = self._importance(z, weights)
            values = self._query(network, scene, plane[rays], slope[rays], z, generator)
            step = F.pad(-z.diff(dim=1), (0, 1), value=0.05) * slope[rays].norm(dim=-1)[:, None]
            *mixed, weights = composite(*values, z, step)
            empty = [z.new_zeros(len(pixels), *value.shape[1:]) for value in mixed]
            results.append(
                tuple(
                    base.index_add(0, rays, value) for base, value in zip(empty, mixed, strict=True)
                )
            )
        return tuple(results)

    def _query(
        self,
        network: RelativeNetwork,
        scene: Scene,
        plane: Tensor,
        slope: Tensor,
        z: Tensor,
        generator: torch.Generator | None,
    ) -> tuple[Tensor, Tensor]:
        """Density (R, K) and colour (R, K, 3) at depths z (R, K) of rays plane + z slope."""
        rotations, joints = scene.rotations[0], scene.joints[0] - scene.centre[0]
        points = (plane[:, None] + z[..., None] * slope[:, None]).flatten(0, 1)
        local = torch.einsum("njc,jcd->njd", points[:, None] - joints, rotations)
        distance = local.norm(dim=-1)
        direction = local / distance.clamp_min(1e-6)[..., None]
        window = torch.sigmoid(self.sharpness * (self.config.cutoff - distance))
        encoding = torch.stack([distance, *_octaves(distance, self.config.frequencies)], dim=-1)
        encoded = torch.cat([(encoding * window[..., None]).flatten(1), direction.flatten(1)], 1)
        view = torch.einsum("rc,jcd->rjd", F.normalize(slope, dim=-1), rotations)
        view = view.repeat_interleave(z.shape[1], 0) * window[..., None]
        density, colour = network(encoded, view.flatten(1))
        density = _DENSITY * density
        if generator is not None:
            density = density + torch.randn(density.shape, generator=generator).to(self.device)
        density = F.relu(density)
        return density.view_as(z), colour.view(*z.shape, 3)

    def _importance(self, z: Tensor, weights: Tensor) -> Tensor:
        """The coarse depths and `fine` more where the weights are, near to far."""
        share = running_sum(weights.detach() + 1e-4)
        share = share / share[:, -1:]
        fine = self.config.fine
        wanted = ((torch.arange(fine, device=self.device) + 0.5) / fine).expand(len(z), -1)
        index = torch.searchsorted(share, wanted.contiguous()).clamp_max(z.shape[1] - 1)
        below = torch.where(index > 0, share.gather(1, (index - 1).clamp_min(0)), 0.0)
        part = (wanted - below) / (share.gather(1, index) - below).clamp_min(1e-6)
        width = (z[:, :1] - z[:, -1:]) / max(z.shape[1] - 1, 1)
        more = z.gather(1, index) + (0.5 - part) * width
        return torch.cat([z, more], dim=1).sort(dim=1, descending=True).values

    def _near_far(self, plane: Tensor, slope: Tensor, skeleton: Tensor) -> tuple[Tensor, ...]:
        """First and last z of rays near any bone, and which rays are near one.

        The paper's upright cylinder suits upright people; a crop here may hold a body at any
        angle, so rays are bounded by the depths of the bones that they pass.
        """
        start, end = skeleton[list(PARENTS[1:])], skeleton[1:]
        points = torch.cat([skeleton[:1], *(start + part * (end - start) for part in _ALONG)])
        z = points[:, 2]
        places = plane[:, None] + z[None, :, None] * slope[:, None]
        aside = (places - points).norm(dim=-1)
        close = aside < self.config.radius
        far_off = torch.full_like(aside, 1e3)
        near = torch.where(close, z.expand_as(aside), -far_off).amax(1) + self.config.radius
        far = torch.where(close, z.expand_as(aside), far_off).amin(1) - self.config.radius
        return near, far, close.any(1)
