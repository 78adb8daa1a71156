"""Adversarial training of the generator, with and without feedback."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from poseloop.posegen.config import PosegenConfig
from poseloop.posegen.feedback import DifficultyNet, Probe, feedback_loss, hinge
from poseloop.posegen.generator import (
    Bounds,
    Discriminators,
    Drawn,
    Generator,
    diversity_loss,
)
from poseloop.runtime.seeds import derive_seed, torch_rng

# Candidates rendered at a time.
_PROBED = 32


class Gan(nn.Module):
    """Generator, discriminators and a pool of past fakes.

    Attributes
    ----------
    pool : (P, 76) buffer
        Past fakes; a random half of each batch of fakes is exchanged with it, so that the
        discriminators do not forget what they once told apart.
    """

    def __init__(self, config: PosegenConfig, bounds: Bounds, seed: int) -> None:
        super().__init__()
        torch.manual_seed(derive_seed(seed, "posegen", "gan"))
        settings = config.generator
        self.bounds = bounds
        self.generator = Generator(settings, bounds.starts)
        self.discriminators = Discriminators(settings)
        self.register_buffer("pool", torch.zeros(settings.pool, 76))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def exchange(self, drawn: Drawn, generator: torch.Generator) -> Drawn:
        """Fakes, half of them swapped for past ones once the pool is full."""
        fakes = torch.cat(drawn, dim=1)
        free = min(len(self.pool) - int(self.filled), len(fakes))
        if free > 0:
            start = int(self.filled)
            self.pool[start : start + free] = fakes[:free]
            self.filled += free
        else:
            rows = torch.randperm(len(fakes), generator=generator)[: len(fakes) // 2]
            slots = torch.randperm(len(self.pool), generator=generator)[: len(rows)]
            past = self.pool[slots].clone()
            self.pool[slots] = fakes[rows]
            fakes[rows] = past
        return Drawn.from_values(fakes)

    @torch.no_grad()
    def sample(self, count: int, noise: int, generator: torch.Generator) -> Drawn:
        """Poses and cameras of `count` fresh noises."""
        fresh = torch.randn((count, noise), generator=generator).to(self.pool.device)
        return self.bounds(self.generator(fresh))


class GanTrainer:
    """The two optimisers of a `Gan` and one step of both (LSGAN, fact sheet PoseGen 1.3)."""

    def __init__(self, config: PosegenConfig, gan: Gan) -> None:
        self.config = config
        self.gan = gan
        rate = config.generator.learning_rate
        self.optimizers = [
            torch.optim.Adam(part.parameters(), rate, betas=(0.5, 0.99), fused=True)
            for part in (gan.generator, gan.discriminators)
        ]

    def step(
        self,
        generator: torch.Generator,
        feedback: Callable[[Tensor], Tensor] | None = None,
    ) -> dict[str, float]:
        """One step of the discriminators, then one of the generator.

        Parameters
        ----------
        feedback : function
            The generator's output (B, 76) to a scalar that is added to its loss.

        Returns
        -------
        dict
            `critic`, `adversarial` and `diversity` losses.
        """
        settings, gan = self.config.generator, self.gan
        size = settings.batch_size
        noise = torch.randn((size, settings.noise), generator=generator).to(gan.pool.device)
        raw = gan.generator(noise)
        drawn = gan.bounds(raw)
        real = gan.bounds.draw_starts(size, generator)
        fakes = gan.exchange(drawn, generator)
        of_real, of_fakes = gan.discriminators(real.joined(fakes)).split(size)
        critic = 0.5 * ((of_real - 1).square().mean() + of_fakes.square().mean())
        self._update(1, critic, gan.discriminators)
        adversarial = 0.5 * (gan.discriminators(drawn) - 1).square().mean()
        targets = settings.pose_diversity, settings.camera_diversity
        diversity = diversity_loss(drawn, noise, gan.bounds, *targets)
        total = adversarial + settings.diversity_weight * diversity
        if feedback is not None:
            total = total + feedback(raw)
        self._update(0, total, gan.generator)
        return {
            "critic": float(critic.detach()),
            "adversarial": float(adversarial.detach()),
            "diversity": float(diversity.detach()),
        }

    def _update(self, index: int, loss: Tensor, part: nn.Module) -> None:
        self.optimizers[index].zero_grad(set_to_none=True)
        loss.backward(inputs=list(part.parameters()))
        nn.utils.clip_grad_norm_(part.parameters(), 1.0, foreach=True)
        self.optimizers[index].step()


def warm_up(config: PosegenConfig, gan: Gan, seed: int) -> dict[str, float]:
    """Train a GAN without feedback; returns the last losses."""
    trainer = GanTrainer(config, gan)
    for step in range(config.generator.warmup_steps):
        losses = trainer.step(torch_rng(seed, "posegen", "warm-up", step))
    return losses


def seek_errors(
    config: PosegenConfig,
    method: str,
    gan: Gan,
    probe: Probe,
    seed: int,
    round_number: int,
) -> list[dict[str, float]]:
    """Train the generator against the estimator of `probe` for one round.

    Returns
    -------
    one row per step: the losses and the mean hardness of what was rendered
    """
    entry, settings = config.methods[method], config.feedback
    trainer = GanTrainer(config, gan)
    names = (seed, "posegen", "feedback", round_number)
    difficulty = None
    if entry.feedback == "difficulty_net":
        difficulty = learn_difficulty(config, gan, probe, torch_rng(*names, "pool"))
    rows = []
    for step in range(settings.steps):
        generator = torch_rng(*names, step)
        row: dict[str, float] = {}

        def feedback(raw: Tensor, generator=generator, row=row) -> Tensor:
            few = raw[: settings.batch_size]
            subject = torch.randint(len(probe.rest_joints), (len(few),), generator=generator)
            loss, hardness = feedback_loss(
                entry.feedback,
                few,
                subject,
                gan.bounds,
                probe,
                lambda value: hinge(value, settings, entry.capped),
                settings.noise,
                generator,
                difficulty,
            )
            row["hardness"] = float(hardness.mean())
            return settings.weight * loss

        used = None if entry.feedback == "none" else feedback
        losses = trainer.step(generator, used)
        rows.append({"step": step + 1, **losses, **row})
    return rows


def propose(
    config: PosegenConfig,
    gan: Gan,
    probe: Probe,
    count: int,
    generator: torch.Generator,
) -> tuple[Drawn, Tensor]:
    """Poses of the generator, and the hardness (B,) that is measured on small renders of them."""
    drawn = gan.sample(count, config.generator.noise, generator)
    subject = torch.randint(len(probe.rest_joints), (count,), generator=generator)
    parts = torch.arange(count).split(_PROBED)
    hardness = [probe.hardness(drawn.of(rows), subject[rows]) for rows in parts]
    return drawn, torch.cat(hardness)


def learn_difficulty(
    config: PosegenConfig,
    gan: Gan,
    probe: Probe,
    generator: torch.Generator,
) -> DifficultyNet:
    """Fit a difficulty network to the measured hardness of the generator's own poses."""
    settings = config.feedback
    count = settings.steps * settings.batch_size
    drawn, hardness = propose(config, gan, probe, count, generator)
    with torch.random.fork_rng():
        torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))
        net = DifficultyNet(settings.difficulty_hidden).to(hardness.device)
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=0.01, fused=True)
    for _ in range(settings.difficulty_steps):
        rows = torch.randint(count, (64,), generator=generator)
        error = net(drawn.of(rows)) - hardness[rows]
        optimizer.zero_grad(set_to_none=True)
        error.square().mean().backward()
        optimizer.step()
    return net.eval().requires_grad_(False)


def choose_hard(
    config: PosegenConfig,
    gan: Gan,
    probe: Probe,
    capped: bool,
    count: int,
    generator: torch.Generator,
) -> Drawn:
    """Poses and cameras drawn from the hardest of more that the generator proposes.

    Where gradients of the error point is uncertain (`direction_correlation`), the error itself is
    not: on a small render without surroundings it tells well how hard the pictures of a pose are.

    Parameters
    ----------
    capped : bool
        Whether candidates beyond `filter.hardness` count as the easiest.
    count : int
        How many are drawn.
    """
    settings = config.feedback
    proposed = count * settings.candidates
    drawn, hardness = propose(config, gan, probe, proposed, generator)
    hardness = hardness.nan_to_num(0.0)
    if capped:
        hardness = hardness.where(hardness <= config.filter.hardness, 0.0)
    hardest = hardness.argsort(descending=True, stable=True)[: count * settings.hardest]
    return drawn.of(hardest[torch.randperm(len(hardest), generator=generator)[:count]])
