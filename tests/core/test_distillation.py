"""Matching moments: the student of a known density draws from it in one or two steps."""

import pytest
import torch
from torch import nn

from molscore.core.distillation import moment_matching
from molscore.core.sde import CosineVP, perturb

WIDTH, STEPS, MEANS, SPREAD = 256, 2500, torch.tensor([-1.2, 0.8]), 0.2
SDE = CosineVP()


class Small(nn.Module):
    """A denoiser of numbers."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 48), nn.SiLU(), nn.Linear(48, 48), nn.SiLU(), nn.Linear(48, 1))

    def forward(self, z, t):
        alpha, sigma = SDE.marginal(t)
        return alpha * z + sigma * self.layers(torch.cat([z, t, torch.log(sigma / alpha.clamp(min=1e-3))], dim=-1))


def teacher(z, t):
    """E[z_0 | z_t] of a mixture of two narrow Gaussians, a third and two thirds."""
    alpha, sigma = SDE.marginal(t)
    variance = alpha**2 * SPREAD**2 + sigma**2
    logits = -((z - alpha * MEANS) ** 2) / (2 * variance) + torch.tensor([1 / 3, 2 / 3]).log()
    gain = alpha * SPREAD**2 / variance
    return (logits.softmax(-1) * (MEANS + gain * (z - alpha * MEANS))).sum(-1, keepdim=True)


def samples(denoiser, times, n=20_000):
    """Each step's clean state, noised anew to the next time."""
    z = torch.randn(n, 1, generator=torch.Generator().manual_seed(5))
    for k, t in enumerate(times):
        x = denoiser(z, torch.full_like(z, t))
        if k + 1 < len(times):
            z = perturb(
                SDE, x, torch.full_like(z, times[k + 1]), torch.randn(n, 1, generator=torch.Generator().manual_seed(k))
            )
    return x.detach()


@pytest.mark.parametrize("times", [(0.999,), (0.999, 0.5)], ids=["one step", "two steps"])
def test_a_student_draws_from_the_teachers_density(times):
    """A third of the draws below zero, about the modes: the teacher's own one or two steps go to the middle."""
    torch.manual_seed(0)
    student, critic = Small(), Small()
    optimiser = torch.optim.Adam(
        [{"params": student.parameters(), "lr": 1e-3}, {"params": critic.parameters(), "lr": 4e-3}]
    )
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.05, STEPS)
    for _ in range(STEPS):
        data = torch.where(torch.rand(WIDTH, 1) < 1 / 3, *MEANS) + SPREAD * torch.randn(WIDTH, 1)
        t = torch.tensor(times)[torch.randint(len(times), (WIDTH, 1))]
        x = student(perturb(SDE, data, t, torch.randn_like(data)), t)
        s = t * (0.1 + 0.9 * torch.rand_like(t))
        z_s = perturb(SDE, x.detach(), s, torch.randn_like(x))
        guess = critic(z_s, s)
        _, sigma = SDE.marginal(s)
        moved = moment_matching(x, guess, teacher(z_s, s), 1 / sigma.clamp(min=0.1))
        loss = moved.mean() + ((guess - x.detach()) ** 2 / sigma**2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    ours, theirs = samples(student, times), samples(teacher, times)
    low, high = ours[ours < -0.2], ours[ours >= -0.2]
    assert len(low) / len(ours) == pytest.approx(1 / 3, abs=0.05)
    assert low.mean() == pytest.approx(-1.2, abs=0.15) and high.mean() == pytest.approx(0.8, abs=0.15)
    assert ours.std() == pytest.approx(0.964, abs=0.08) and theirs.std() < 0.6


def test_the_gradient_is_the_difference():
    output = torch.zeros(3, requires_grad=True)
    critic, teacher_mean = torch.tensor([1.0, 2, 3], requires_grad=True), torch.tensor([0.5, 2, 4])
    moment_matching(output, critic, teacher_mean, 2.0).sum().backward()
    assert output.grad.tolist() == [1.0, 0.0, -2.0] and critic.grad is None
