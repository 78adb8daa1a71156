import torch

from poseloop.multiview.sharding import accumulate_gradients, shard_pool


def test_shards_add_up_to_the_gradient_of_the_whole_batch():
    torch.manual_seed(0)
    module = torch.nn.Linear(4, 3)
    x = torch.randn(8, 4)
    parameters = list(module.parameters())
    whole = module(x).square().mean()
    expected = torch.autograd.grad(whole, parameters)
    parts = [lambda part=part: module(part).square().mean() for part in x.split(2)]
    with shard_pool(2) as over:
        loss = accumulate_gradients(parameters, parts, len(parts), over)
        accumulate_gradients(parameters, parts, len(parts), over)
    torch.testing.assert_close(torch.tensor(loss), whole.detach())
    for parameter, gradient in zip(parameters, expected, strict=True):
        torch.testing.assert_close(parameter.grad, 2 * gradient)
