"""What every sampler promises whatever the target: times of elements, independence, dtypes, errors."""

import pytest
import torch
from analytic import SDES, TWO_MODES, gaussian, run
from hypothesis import given, settings
from hypothesis import strategies as st

from molscore.core.denoiser import mean_from_score
from molscore.core.samplers import SAMPLERS, DPMSolver, EulerMaruyama, Langevin, PredictorCorrector
from molscore.core.sde import LinearVP
from molscore.core.times import log_snr_grid, time_grid

every_sde = pytest.mark.parametrize("sde", SDES.values(), ids=SDES)
every_sampler = pytest.mark.parametrize("sampler", [make() for make in SAMPLERS.values()], ids=list(SAMPLERS))
STEPS, ROWS, COLUMNS = 12, 4, 6


class Tape:
    """A noise function that plays recorded draws, one a call, restricted to some rows and columns."""

    def __init__(self, seed=0, rows=slice(None), columns=slice(None)):
        generator = torch.Generator().manual_seed(seed)
        draws = torch.randn(4 * STEPS, ROWS, COLUMNS, dtype=torch.float64, generator=generator)
        self.draws = iter(draws[:, rows, columns])

    def __call__(self, z):
        draw = next(self.draws)
        assert draw.shape == z.shape
        return draw.to(z)


def start(rows=slice(None), columns=slice(None)):
    return torch.randn(ROWS, COLUMNS, dtype=torch.float64, generator=torch.Generator().manual_seed(9))[rows, columns]


def two_times():
    """A fast and a slow time, (K + 1,) each, and both as one (K + 1, 1, COLUMNS) tensor, three columns each."""
    fast, slow = time_grid(STEPS, 0.01, 1.0, power=2.0), time_grid(STEPS, 0.05, 0.9)
    both = torch.cat([fast.view(-1, 1, 1).expand(-1, 1, 3), slow.view(-1, 1, 1).expand(-1, 1, 3)], dim=-1)
    return fast, slow, both


def close(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)


@every_sde
@pytest.mark.parametrize("name", ["em", "ode", "dpm"])
def test_elements_with_own_times_run_as_if_alone(sde, name):
    """One state with two times = two states with one time each, on the same noise."""
    sampler, score = SAMPLERS[name](), TWO_MODES.elementwise_score(sde)
    fast, slow, both = two_times()
    left, right = slice(0, 3), slice(3, 6)
    together = run(sampler, sde, score, start(), both, Tape())
    close(together[:, left], run(sampler, sde, score, start(columns=left), fast, Tape(columns=left)))
    close(together[:, right], run(sampler, sde, score, start(columns=right), slow, Tape(columns=right)))


@every_sde
def test_elements_with_own_noise_run_as_if_alone(sde):
    """Three columns with twice the noise of the reverse SDE and three without any, on the same draws."""
    score, times = TWO_MODES.elementwise_score(sde), time_grid(STEPS, 0.01)
    eta = torch.tensor([2.0, 2, 2, 0, 0, 0], dtype=torch.float64)
    together = run(DPMSolver(eta), sde, score, start(), times, Tape())
    for part, own in ((slice(0, 3), 2.0), (slice(3, 6), 0.0)):
        alone = run(DPMSolver(own), sde, score, start(columns=part), times, Tape(columns=part))
        close(together[:, part], alone)


@every_sde
@every_sampler
def test_one_clock_written_out_for_every_element_is_one_clock(sde, sampler):
    score, times = TWO_MODES.elementwise_score(sde), time_grid(STEPS, 0.01)
    expected = run(sampler, sde, score, start(), times, Tape())
    close(run(sampler, sde, score, start(), times.view(-1, 1, 1).expand(-1, ROWS, COLUMNS), Tape()), expected)
    close(run(sampler, sde, score, start(), times.view(-1, 1, 1), Tape()), expected)


@every_sde
@every_sampler
@pytest.mark.parametrize("held", [0.0, 0.3], ids=["at data", "half way"])
def test_an_element_whose_clock_stands_is_left_alone(sde, sampler, held):
    """Three columns held, where the score is not even a number; the others run as if they were alone."""
    exact, times = TWO_MODES.elementwise_score(sde), time_grid(STEPS, 0.01)
    own_times = times.view(-1, 1, 1).repeat(1, 1, COLUMNS)
    own_times[:, :, 3:] = held

    def score(z, t):
        return torch.where(torch.arange(COLUMNS) < 3, exact(z, t), torch.nan)

    z = run(sampler, sde, score, start(), own_times, Tape())
    assert torch.equal(z[:, 3:], start()[:, 3:])
    left = slice(0, 3)
    close(z[:, left], run(sampler, sde, exact, start(columns=left), times, Tape(columns=left)))


@every_sde
def test_few_step_solver_starts_afresh_after_a_pause(sde):
    """A time that pauses forgets its history: a paused run is two runs, one before and one after."""
    score, times = TWO_MODES.elementwise_score(sde), time_grid(8, 0.05)
    paused = torch.cat([times[:5], times[4:5], times[4:]])  # knots 4, 4, 4: two steps stand still
    tape = Tape()
    whole = run(DPMSolver(), sde, score, start(), paused, tape)
    tape = Tape()
    half = run(DPMSolver(), sde, score, start(), times[:5], tape)
    tape(half), tape(half)
    close(whole, run(DPMSolver(), sde, score, half, times[4:], tape))


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("early", [False, True], ids=["at the end", "before the end"])
def test_few_step_solver_can_end_at_sigma_zero(eta, early):
    """The step to sigma = 0 returns the posterior mean, also where it is not the last of the run."""
    sde, target = LinearVP(), gaussian(0.7, 0.5)
    times, exact, seen = time_grid(STEPS, 0.0), target.elementwise_score(LinearVP()), []
    if early:
        times = torch.cat([times, times[-1:]])

    def score(z, t):
        seen.append((z, t))
        return exact(z, t)

    z = run(DPMSolver(eta), sde, score, start(), times, Tape())
    before, t = seen[STEPS - 1]
    close(z, mean_from_score(sde, before, t, exact(before, t)))


@given(seed=st.integers(0, 10**6), name=st.sampled_from(sorted(SDES)), sampler=st.sampled_from(sorted(SAMPLERS)))
@settings(max_examples=40)
def test_any_falling_clocks_give_numbers(seed, name, sampler):
    """Random times for each element, with many ties: no NaN, and whatever stands all along is unchanged."""
    times = torch.rand(6, ROWS, COLUMNS, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    times = 0.1 + 0.9 * (times * 4).round().sort(dim=0, descending=True).values / 4
    times[:, 0, 0] = times[0, 0, 0]
    sde = SDES[name]
    z = run(SAMPLERS[sampler](), sde, TWO_MODES.elementwise_score(sde), start(), times, Tape(seed))
    assert z.isfinite().all()
    stands = times[0] == times[-1]
    assert torch.equal(z[stands], start()[stands])


@every_sde
@every_sampler
def test_a_sample_does_not_depend_on_its_batch_mates(sde, sampler):
    score, times = TWO_MODES.elementwise_score(sde), time_grid(STEPS, 0.01)
    batch = run(sampler, sde, score, start(), times, Tape())
    for i in range(ROWS):
        row = slice(i, i + 1)
        close(batch[row], run(sampler, sde, score, start(row), times, Tape(rows=row)))


@every_sampler
def test_padding_changes_nothing(sampler):
    """Elements whose state, score and noise are zero leave the others, and the corrector's step, as they are."""
    sde, times, tape = SDES["cosine"], time_grid(STEPS, 0.01), Tape()
    exact, mask = TWO_MODES.elementwise_score(sde), (torch.arange(COLUMNS) < 4).double()
    padded = run(sampler, sde, lambda z, t: mask * exact(z, t), mask * start(), times, lambda z: mask * tape(z))
    columns = slice(0, 4)
    close(padded[:, columns], run(sampler, sde, exact, start(columns=columns), times, Tape(columns=columns)))
    assert (padded[:, 4:] == 0).all()


@every_sampler
def test_state_keeps_its_dtype(sampler, dtype):
    """With float64 times and a float32 network; only the rounding differs from a float64 run."""
    sde, times = SDES["cosine"], time_grid(STEPS, 0.01).view(-1, 1, 1)
    exact = TWO_MODES.elementwise_score(sde)
    z = run(sampler, sde, lambda z, t: exact(z, t).float(), start().to(dtype), times, Tape())
    assert z.dtype == dtype
    torch.testing.assert_close(z.double(), run(sampler, sde, exact, start(), times, Tape()), rtol=1e-3, atol=1e-3)


@every_sampler
def test_progress_is_reported_after_each_step(sampler):
    sde, seen = SDES["ve"], []
    run(
        sampler, sde, TWO_MODES.elementwise_score(sde), start(), time_grid(3), Tape(), on_step=lambda *k: seen.append(k)
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("name", SAMPLERS)
def test_times_at_which_the_score_is_asked(name):
    """Once a step, at its start; Heun and the corrector ask at its end too."""
    sde, times, asked = SDES["ve"], time_grid(3), []
    exact = TWO_MODES.elementwise_score(sde)
    run(SAMPLERS[name](), sde, lambda z, t: asked.append(t.item()) or exact(z, t), start(), times, Tape())
    t = times.tolist()
    assert asked == ([t[0], t[1], t[1], t[2], t[2], t[3]] if name in ("ode", "pc") else t[:3])


def test_corrector_can_be_switched_off():
    sde, times = SDES["subvp"], time_grid(STEPS, 0.01)
    score = TWO_MODES.elementwise_score(sde)
    plain = run(EulerMaruyama(), sde, score, start(), times, Tape())
    assert torch.equal(run(PredictorCorrector(corrector=Langevin(steps=0)), sde, score, start(), times, Tape()), plain)


@every_sampler
@pytest.mark.parametrize(
    ("times", "message"),
    [([0.1, 0.9], "never rise"), ([0.9, 0.5, 0.6], "never rise"), ([0.9], "two knots")],
    ids=["rising", "rising at the end", "one knot"],
)
def test_times_out_of_order_are_refused(sampler, times, message):
    sde = SDES["ve"]
    with pytest.raises(ValueError, match=message):
        run(sampler, sde, TWO_MODES.elementwise_score(sde), start(), torch.tensor(times), Tape())


@given(
    steps=st.integers(1, 60),
    ends=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    power=st.floats(0.5, 7),
    middle=st.floats(-0.99, 0.99),
)
def test_time_grid_falls_from_end_to_end(steps, ends, power, middle):
    t_min, t_max = sorted(ends)
    if t_max - t_min < 1e-6:
        t_max = t_min + 1e-6 if t_min < 0.5 else t_max
        t_min = t_max - 1e-6 if t_min >= 0.5 else t_min
    t = time_grid(steps, t_min, t_max, power, middle)
    assert len(t) == steps + 1 and t[0] == t_max and t[-1] == t_min
    assert (t.diff() <= 0).all()


def test_time_grid_is_even_in_the_root():
    t = time_grid(4, 0.01, 1.0, power=2.0)
    torch.testing.assert_close(t.sqrt(), torch.tensor([1.0, 0.775, 0.55, 0.325, 0.1], dtype=torch.float64))


def test_time_grid_packs_the_middle():
    """Step lengths in proportion to 1 + middle cos(2 pi u): with many steps, 1.5 to 0.5 to 1.5 times the even one."""
    lengths = -time_grid(1000, 0.0, 1.0, middle=0.5).diff() * 1000
    expected = torch.tensor([1.5, 1.0, 0.5, 1.0, 1.5], dtype=torch.float64)
    torch.testing.assert_close(lengths[[0, 250, 500, 750, 999]], expected, rtol=0, atol=2e-3)


@pytest.mark.parametrize(
    "arguments",
    [(0,), (5, 0.5, 0.5), (5, -0.1), (5, 0.0, 1.5), (5, 0.1, 1.0, 0.0), (5, 0.1, 1.0, 1.0, 1.0)],
    ids=str,
)
def test_impossible_time_grids_are_refused(arguments):
    with pytest.raises(ValueError, match="must be|need"):
        time_grid(*arguments)


@every_sde
def test_a_grid_may_be_even_in_log_snr(sde):
    times = log_snr_grid(sde, 20, 0.02, 0.98)
    assert times.shape == (21,) and times[0] == 0.98 and times[-1] == 0.02
    steps = sde.log_snr(times).diff()
    assert (steps > 0).all()
    torch.testing.assert_close(steps, steps.mean().expand(20), rtol=1e-9, atol=0)
