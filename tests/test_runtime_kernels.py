"""Operations in the form that repeats itself on a GPU, against PyTorch's own."""

import pytest
import torch
import torch.nn.functional as F
from pretend_gpu import GPU, pretend_gpu

from poseloop.runtime.kernels import running_sum, sample_at

MAPS = torch.randn(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
# Inside, at centres, at the outer edges and beyond them.
PLACES = torch.tensor([[-1.3, 0.2], [-1.0, -1.0], [1.0, 1.0], [0.0, 0.0], [0.37, -0.61], [2, -3]])


def sampled(maps, places):
    """Values, and the gradients of a weighted sum of them."""
    maps, places = maps.clone().requires_grad_(), places.clone().requires_grad_()
    found = sample_at(maps, places)
    weights = torch.linspace(-1, 2, found.numel()).view(found.shape).to(found.device)
    return found.detach(), *torch.autograd.grad((found * weights).sum(), [maps, places])


def test_sampling_and_its_gradients_equal_grid_sample():
    places = PLACES.repeat(2, 1, 1)
    expected = F.grid_sample(
        MAPS, places[:, :, None], padding_mode="border", align_corners=False
    ).squeeze(3)
    right = sampled(MAPS, places)
    torch.testing.assert_close(right[0], expected.transpose(1, 2))
    with pretend_gpu():
        found = sampled(MAPS.to(GPU), places.to(GPU))
        found = [part.cpu() for part in found]
    torch.testing.assert_close(found[0], right[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(found[1], right[1], atol=1e-5, rtol=0)
    # At an edge the slope has two sides, and either is right.
    inner = [3, 4]
    torch.testing.assert_close(found[2][:, inner], right[2][:, inner], atol=1e-4, rtol=0)
    assert (found[2][:, 5] == 0).all()


def test_running_sums_equal_cumsum():
    values = torch.rand(4, 9)
    with pretend_gpu():
        found = running_sum(values.to(GPU)).cpu()
    torch.testing.assert_close(found, values.cumsum(1))


@pytest.mark.parametrize(
    ("mixed", "message"),
    [
        (lambda there, here: there + here, "on the CPU and on the GPU"),
        (lambda there, here: torch.cat([there, here]), "on the CPU and on the GPU"),
        (lambda there, here: torch.stack([there.sum(), here.sum()]), "on the CPU and on the GPU"),
        (lambda there, here: here[(there > 0)], "on the CPU and on the GPU"),
        (lambda there, here: there.numpy(), "numpy"),
        (lambda there, here: there.cumsum(0), "no deterministic kernel"),
    ],
)
def test_the_pretended_gpu_refuses_what_a_gpu_does(mixed, message):
    with pretend_gpu(), pytest.raises(RuntimeError, match=message):
        mixed(torch.ones(3).to(GPU), torch.ones(3))


def test_the_pretended_gpu_computes():
    with pretend_gpu():
        there = torch.arange(6.0, device=GPU).view(2, 3)
        there[:, [0, 2]] *= torch.tensor(10.0)
        assert there.device == GPU and there[torch.tensor([1])].device == GPU
        assert torch.tensor([1.0, 2.0], device=GPU).tolist() == [1.0, 2.0]
        assert there.new_tensor([3]).item() == 3.0
        assert there.cpu().tolist() == [[0.0, 1.0, 20.0], [30.0, 4.0, 50.0]]
