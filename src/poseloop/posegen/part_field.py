"""The fast field: a grid of density and colour for every body part, moved by inverse skinning.

A point in space is carried into the rest frame of each part whose box holds it; there density and
colour are read from the part's grid. Which part owns a place is fixed in the rest pose by the
distance from the bones, so the parts tile the canonical body. Empty cells are skipped: occupied
cells are projected into the picture first, and samples are taken only where they fell.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from poseloop.posegen.config_nerf import PartFieldConfig
from poseloop.posegen.field import Rendering, Scene, bone_ends, composite, segment_distance

_TRUNK = (0, 3, 6, 9, 12, 13, 14, 15)
_START_DENSITY = 15.0
_NEVER = -12.0


class PartField(nn.Module):
    """Grids of all subjects.

    Parameters
    ----------
    config : PartFieldConfig
    rest_joints : (M, 24, 3)
        Skeletons of M subjects; no mesh is known.

    Attributes
    ----------
    grid : (M * 24 * G^3, 4) parameter
        Raw density and colour.
    """

    def __init__(self, config: PartFieldConfig, rest_joints: Tensor) -> None:
        super().__init__()
        self.config = config
        subjects, g = len(rest_joints), config.resolution
        low, extent = _boxes(config, rest_joints)
        self.register_buffer("low", low)
        self.register_buffer("extent", extent)
        unit = (torch.arange(g) + 0.5) / g
        cells = torch.stack(torch.meshgrid(unit, unit, unit, indexing="ij"), -1).view(-1, 3)
        places = low[:, :, None] + cells * extent[:, :, None] + rest_joints[:, :, None]
        near = torch.stack(
            [_bone_distance(places.flatten(1, 2)[m], rest_joints[m]) for m in range(subjects)]
        ).unflatten(1, (24, -1))
        own = torch.diagonal(near, dim1=1, dim2=3).permute(0, 2, 1)
        owner = torch.log_softmax(-near / config.blend, dim=-1)
        share = torch.diagonal(owner, dim1=1, dim2=3).permute(0, 2, 1)
        self.register_buffer("log_share", share.clamp_min(_NEVER).reshape(-1))
        radius = torch.full((24, 1), 0.6 * config.margin)
        radius[list(_TRUNK)] = 0.6 * config.trunk_margin
        grid = torch.zeros(subjects, 24, g**3, 4)
        grid[..., 0] = (radius - own) / (0.2 * radius)
        self.grid = nn.Parameter(grid.view(-1, 4))
        self.register_buffer("occupied", torch.zeros(subjects, 24, g, g, g, dtype=torch.bool))
        self._kept: tuple[int, Tensor] | None = None
        self.refresh()

    @property
    def device(self) -> torch.device:
        """Where its grids are."""
        return self.grid.device

    @torch.no_grad()
    def refresh(self) -> None:
        """Recompute which cells are worth sampling: the dense ones and those that share a face."""
        g = self.config.resolution
        density = self._density(self.grid[:, 0] + self.log_share).view(-1, 1, g, g, g)
        dense = (density > self.config.occupancy).float()
        near = [
            F.max_pool3d(dense, kernel, 1, tuple(side // 2 for side in kernel))
            for kernel in ((3, 1, 1), (1, 3, 1), (1, 1, 3))
        ]
        self.occupied = torch.stack(near).amax(0).view_as(self.occupied) > 0

    def smoothness(self, subject: int) -> Tensor:
        """Mean squared difference of neighbouring cells of one subject; a scalar."""
        g = self.config.resolution
        grid = self.grid.view(-1, 24, g, g, g, 4)[subject]
        return sum(grid.diff(dim=axis).square().mean() for axis in (1, 2, 3))

    def render(self, scene: Scene, size: int) -> Rendering:
        """Pictures of `size` pixels; differentiable in grids, rotations, joints and crop."""
        image, part, pixel, near, far = self._pairs(scene, size)
        c, device = self.config, self.device
        batch = len(scene.subject)
        # Sample k lies at depth reach - (k + 1/2) step: near to far for every ray alike.
        first = ((c.reach - near) / c.step).floor().clamp_min(0).long()
        last = ((c.reach - far) / c.step).ceil().long()
        bins = int(2 * c.reach / c.step)
        count = (last.clamp_max(bins) - first).clamp_min(0)
        pair = torch.repeat_interleave(torch.arange(len(image), device=device), count)
        offset = torch.cumsum(count, 0) - count
        k = first[pair] + torch.arange(len(pair), device=device) - offset[pair]
        z = c.reach - (k + 0.5) * c.step
        axis = (torch.arange(size, device=device) + 0.5) / size - 0.5
        x, y = axis[pixel % size], -axis[pixel // size]
        # A ray is affine in z: plane * (1 - z / distance), which saves a product per sample.
        plane = torch.stack([x, y, torch.zeros_like(x)], -1) * scene.size[image, None]
        slope = -plane / scene.distance[image, None] + plane.new_tensor([0.0, 0.0, 1.0])
        turn = scene.rotations[image, part]
        start = plane + scene.centre[image] - scene.joints[image, part]
        start = (start.unsqueeze(1) @ turn).squeeze(1)
        slope = (slope.unsqueeze(1) @ turn).squeeze(1)
        subject = scene.subject[image]
        extent = self.extent[subject, part]
        start, slope = (start - self.low[subject, part]) / extent, slope / extent
        places = torch.addcmul(start[pair], z[:, None], slope[pair])
        block = (subject * 24 + part)[pair]
        # The range of a pair is generous: most of its samples lie in empty cells all the same.
        full = self._is_occupied(places.detach(), block).nonzero()[:, 0]
        values = self._read(places[full], block[full])
        density = self._density(values[:, 0])
        ray = image * size * size + pixel
        present = torch.zeros(batch * size * size, dtype=torch.bool, device=device)
        present[ray] = True
        rays = present.nonzero()[:, 0]
        row = (present.cumsum(0) - 1)[ray]
        slot = (row[pair] * bins + k)[full]
        tinted = density[:, None] * F.pad(torch.sigmoid(values[:, 1:]), (1, 0), value=1.0)
        total, *tints = tinted.new_zeros(len(rays) * bins, 4).index_add(0, slot, tinted).unbind(1)
        colour = (torch.stack(tints, 1) / total.clamp_min(1e-6)[:, None]).view(-1, bins, 3)
        depth = c.reach - (torch.arange(bins, device=device) + 0.5) * c.step
        step = torch.full((1, bins), c.step, device=device)
        mixed, opacity, deep, _ = composite(total.view(-1, bins), colour, depth, step)
        picture = mixed.new_zeros(batch * size * size, 5)
        shown = torch.cat([mixed, opacity[:, None], deep[:, None]], dim=1)
        picture = picture.index_add(0, rays, shown).view(batch, size, size, 5)
        return Rendering(picture[..., :3], picture[..., 3], picture[..., 4])

    @torch.no_grad()
    def _pairs(self, scene: Scene, size: int) -> tuple[Tensor, ...]:
        """Image, part and pixel of every pair that meets an occupied cell, and its depth range."""
        g = self.config.resolution
        images, parts, places = [], [], []
        for subject in scene.subject.unique():
            rows = (scene.subject == subject).nonzero()[:, 0]
            part, *cell = self.occupied[subject].nonzero().unbind(-1)
            inside = (torch.stack(cell, -1) + 0.5) / g
            local = self.low[subject, part] + inside * self.extent[subject, part]
            # Cells come part by part: a product for each is faster than a rotation for each cell.
            cells = local.split(torch.bincount(part, minlength=24).tolist())
            turns = scene.rotations[rows].mT.unbind(1)
            joints = scene.joints[rows].unsqueeze(2).unbind(1)
            moved = [c @ turn + joint for c, turn, joint in zip(cells, turns, joints, strict=True)]
            point = torch.cat(moved, dim=1) - scene.centre[rows, None]
            images.append(rows.repeat_interleave(len(part)))
            parts.append(part.repeat(len(rows)))
            places.append(point.flatten(0, 1))
        image, part, place = torch.cat(images), torch.cat(parts), torch.cat(places)
        depth = 1 - place[:, 2] / scene.distance[image]
        xy = place[:, :2] / depth[:, None] / scene.size[image, None]
        column = ((xy[:, 0] + 0.5) * size).long().clamp(0, size - 1)
        row = ((0.5 - xy[:, 1]) * size).long().clamp(0, size - 1)
        slot = ((image * 24 + part) * size + row) * size + column
        shape = (len(scene.subject) * 24, size, size)
        lowest = torch.full(shape, -1e3, device=self.device).view(-1)
        near = lowest.scatter_reduce(0, slot, place[:, 2], "amax").view(shape)
        far = lowest.scatter_reduce(0, slot, -place[:, 2], "amax").view(shape)
        # A cell covers more than the pixel of its centre where cells are larger than pixels.
        near, far = (_widened(value).flatten() for value in (near, far))
        pair = (near > -1e2).nonzero()[:, 0]
        owner, pixel = pair // (size * size), pair % (size * size)
        half = self.extent[scene.subject[owner // 24], owner % 24].amax(-1) / g
        return owner // 24, owner % 24, pixel, near[pair] + half, -far[pair] - half

    def _is_occupied(self, place: Tensor, block: Tensor) -> Tensor:
        """Whether places (N, 3) in [0, 1] of grids `block` (N,) are in cells worth reading."""
        g = self.config.resolution
        x, y, z = (place * g).long().clamp(0, g - 1).unbind(-1)
        dense = self.occupied.view(-1)[((block * g + x) * g + y) * g + z]
        return dense & (place > 0).all(-1) & (place < 1).all(-1)

    def _read(self, place: Tensor, block: Tensor) -> Tensor:
        """Trilinear values (N, 4) at places (N, 3) in [0, 1] of grids `block` (N,)."""
        g = self.config.resolution
        cell = (place * g - 0.5).clamp(0, g - 1.001)
        base = cell.detach().floor()
        share = cell - base
        x, y, z = base.long().unbind(-1)
        origin = ((block * g + x) * g + y) * g + z
        corner = torch.arange(2, device=self.device)
        corners = ((corner[:, None, None] * g + corner[:, None]) * g + corner).flatten()
        sides = torch.stack([1 - share, share], dim=-1)
        weights = (
            sides[:, 0, :, None, None] * sides[:, 1, None, :, None] * sides[:, 2, None, None, :]
        ).flatten(1)
        rows = origin[:, None] + corners
        return F.embedding_bag(rows, self._table(), mode="sum", per_sample_weights=weights)

    def _table(self) -> Tensor:
        """Raw density, the part's share of the place in it, and colour of every cell."""
        if self.grid.requires_grad:
            return self.grid + F.pad(self.log_share[:, None], (0, 3))
        # A frozen field renders thousands of pictures from one table.
        if self._kept is None or self._kept[0] != self.grid._version:
            table = self.grid + F.pad(self.log_share[:, None], (0, 3))
            self._kept = self.grid._version, table
        return self._kept[1]

    @staticmethod
    def _density(raw: Tensor) -> Tensor:
        return _START_DENSITY * F.softplus(raw)


def _widened(maps: Tensor) -> Tensor:
    """Maps (N, S, S) with the largest value of the 3 x 3 around every pixel.

    A max pool, which PyTorch does not vectorise on a processor.
    """
    for axis in (1, 2):
        last = maps.shape[axis] - 1
        wide = maps.clone()
        for here, there in ((0, 1), (1, 0)):
            part = wide.narrow(axis, here, last)
            torch.maximum(part, maps.narrow(axis, there, last), out=part)
        maps = wide
    return maps


def _boxes(config: PartFieldConfig, rest_joints: Tensor) -> tuple[Tensor, Tensor]:
    """Low corners and extents (M, 24, 3) of the parts' boxes, relative to their joints."""
    margin = torch.full((24,), config.margin)
    margin[list(_TRUNK)] = config.trunk_margin
    ends = [rest_joints[:, bone_ends(joint)] - rest_joints[:, [joint]] for joint in range(24)]
    low = torch.stack([points.amin(1) for points in ends], 1) - margin[:, None]
    high = torch.stack([points.amax(1) for points in ends], 1) + margin[:, None]
    return low, high - low


def _bone_distance(points: Tensor, rest: Tensor) -> Tensor:
    """Distances (P, 24) of points (P, 3) from every part's bones, rest pose (24, 3)."""
    distances = []
    for joint in range(24):
        ends = bone_ends(joint)
        to = [segment_distance(points, rest[joint], rest[end]) for end in ends]
        distances.append(torch.stack(to).amin(0))
    return torch.stack(distances, dim=-1)
