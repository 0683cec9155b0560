"""What training molecules are given: shares, connected pieces, whole rings, and a loss that asks for the rest alone."""

from collections import Counter

import networkx
import pytest
import torch

from molscore.model.config import DiffusionConfig
from molscore.model.tasks import TaskShares, known_tags, random_pieces, ring_bonds, task_parts


def graphs(count: int = 60, n: int = 12, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Random connected graphs of up to n atoms: a tree and up to three bonds more; bonds and mask."""
    bonds, mask = torch.zeros(count, n, n, dtype=torch.int64), torch.zeros(count, n, dtype=torch.bool)
    generator = torch.Generator().manual_seed(seed)
    for k in range(count):
        size = int(torch.randint(2, n + 1, (), generator=generator))
        mask[k, :size] = True
        pairs = [(i, int(torch.randint(0, i, (), generator=generator))) for i in range(1, size)]
        for _ in range(int(torch.randint(0, 4, (), generator=generator))):
            i, j = torch.randint(0, size, (2,), generator=generator).tolist()
            pairs += [(i, j)] if i != j else []
        for i, j in pairs:
            bonds[k, i, j] = bonds[k, j, i] = 1
    return bonds, mask


def uniform(bonds, mask, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(shape, generator=generator) for shape in (mask.shape, bonds.shape, (len(mask), 4))]


def test_ring_bonds_are_those_of_cycles():
    bonds, mask = graphs(200)
    found = ring_bonds(bonds > 0, mask)
    assert found.any() and torch.equal(found, found.mT)
    for k in range(len(bonds)):
        graph = networkx.from_numpy_array(bonds[k].numpy())
        bridges = {frozenset(edge) for edge in networkx.bridges(graph)}
        rings = {frozenset(edge) for edge in graph.edges if frozenset(edge) not in bridges}
        assert {frozenset(pair) for pair in found[k].nonzero().tolist()} == rings


def test_a_ring_of_sixty_and_a_chain_of_sixty_are_told_apart():
    n = 60
    chain = torch.diag_embed(torch.ones(n - 1), 1)
    ring = chain.clone()
    ring[0, -1] = 1
    both = torch.stack([chain, ring])
    found = ring_bonds((both + both.mT) > 0, torch.ones(2, n, dtype=torch.bool))
    assert not found[0].any() and found[1].sum() == 2 * n


def test_pieces_are_parts_of_the_molecule_and_connected():
    """Up to four connected pieces, or all but one; whole rings where they stay whole; never all of a molecule."""
    bonds, mask = graphs(400)
    atoms, edges, choices = uniform(bonds, mask)
    part = random_pieces(bonds, mask, atoms, edges, choices)
    assert not (part & ~mask).any() and not (part == mask).all(1).any()
    rings, kinds = ring_bonds(bonds > 0, mask), Counter()
    for k in range(len(bonds)):
        graph = networkx.from_numpy_array(bonds[k].numpy())
        inside, rest = (set(m.nonzero().flatten().tolist()) for m in (part[k], mask[k] & ~part[k]))
        if not inside:
            continue
        turned = bool(choices[k, 3] < 0.5)
        grown = rest if turned else inside
        pieces = networkx.number_connected_components(graph.subgraph(grown))
        kinds[turned, pieces] += 1
        assert pieces == 1 if turned else pieces <= 1 + int(4 * choices[k, 0])
        if choices[k, 2] < 0.75:
            assert all((i in inside) == (j in inside) for i, j in rings[k].nonzero().tolist())
    assert {1, 2, 3} <= {pieces for turned, pieces in kinds if not turned}
    share = part.sum(1) / mask.sum(1)
    assert share.min() == 0 and share.max() > 0.8 and 0.3 < float(share.mean()) < 0.6


def test_shares_of_tasks():
    bonds, mask = (x.repeat(10, *[1] * (x.ndim - 1)) for x in graphs(200))
    shares = TaskShares(pieces=0.3, scaffolds=0.2, cores=0.1, shapes=0.05)
    generator = torch.Generator().manual_seed(0)
    given = task_parts(shares, 0.15, bonds, mask, slice(None), generator=generator)
    held, known, apart = given.positions.any(1), given.graph.any(1), given.apart.flatten(1).any(1)
    whole = {name: (y == mask).all(1) for name, y in (("x", given.positions), ("graph", given.graph))}
    some = 0.9  # of a few molecules the piece is empty
    counts = {
        "conformers": (whole["graph"] & ~held, 0.15, 1),
        "cores": (whole["graph"] & held, 0.1, some),
        "shapes": (whole["x"] & ~known, 0.05, 1),
        "pieces": (held & known & ~whole["graph"], 0.3, some),
        "scaffolds": (known & ~held & ~whole["graph"], 0.2, some),
        "new": (~known & ~held, 0.2, 1),
    }
    for name, (chosen, share, least) in counts.items():
        error = 4 * (share * (1 - share) / len(mask)) ** 0.5
        rate = float(chosen.float().mean())
        assert share * least - error < rate, name  # where a piece is empty, it is another task
        assert rate < share + error or name in ("new", "conformers"), name
    pieces = counts["pieces"][0]
    assert torch.equal(given.positions[pieces], given.graph[pieces])
    assert 0.3 < float(apart[pieces].float().mean()) < 0.55  # of some pieces every atom is bonded to the rest
    assert not apart[~(pieces | counts["scaffolds"][0])].any()
    assert not (given.apart & (bonds > 0)).any(), "no bond of the molecule is given as none"


@pytest.mark.parametrize("shares", [{"pieces": 0.7, "scaffolds": 0.4}, {"pieces": -0.1}, {"grow": 0.5}])
def test_shares_are_checked(shares):
    with pytest.raises(ValueError):
        TaskShares(**shares)


def test_shares_and_graph_conditioned_fit_together():
    with pytest.raises(ValueError, match="add up to at most 1"):
        DiffusionConfig(graph_conditioned=0.5, tasks={"pieces": 0.6})


def test_parts_of_a_batch_are_those_of_the_whole():
    """Processes that share a batch draw the same tasks."""
    bonds, mask = graphs(30)
    shares = TaskShares(pieces=0.5, scaffolds=0.2)
    draws = [
        task_parts(shares, 0.1, bonds, mask, rows, generator=torch.Generator().manual_seed(3))
        for rows in (slice(None), slice(0, None, 2), slice(1, None, 2))
    ]
    for whole, even, odd in zip(*draws, strict=True):
        assert torch.equal(whole[::2], even) and torch.equal(whole[1::2], odd)


def test_tags_whose_atoms_are_not_all_given_are_hidden():
    stereo = torch.tensor([[[0, 1, 2, 3, 1], [1, 2, 3, 4, -1], [0, 0, 0, 0, 0]]])
    graph = torch.tensor([[True, True, True, True, False]])
    assert known_tags(stereo, graph).tolist() == [[[0, 1, 2, 3, 1], [0] * 5, [0] * 5]]


@pytest.mark.parametrize("task", ["pieces", "scaffolds", "cores", "shapes"])
def test_the_loss_asks_for_what_is_not_given(build, batch, task, monkeypatch):
    """What is given reaches the network clean, at time 0, in its frame; it adds nothing to the loss of positions."""
    model, data = build("all", torch.float64), batch()
    pairs = data.mask[:, :, None] & data.mask[:, None]
    chain = (torch.arange(8)[:, None] - torch.arange(8)).abs() == 1
    data = data._replace(bonds=(chain & pairs).long(), stereo=data.stereo[:, :0])
    model.config = model.config.model_copy(update={"graph_conditioned": 0.0, "tasks": TaskShares(**{task: 1.0})})
    seen = []
    predict = model.predict

    def spy(state, times, mask, previous=None, stereo=None):
        out = predict(state, times, mask, previous, stereo)
        seen.append((state, times, out))
        return out

    monkeypatch.setattr(model, "predict", spy)
    losses = model.loss(data, torch.Generator().manual_seed(1), conditioned=False)
    (state, times, out), mask = seen[0], data.mask
    held = (times.x == 0) & mask
    assert bool(held.any()) == (task != "scaffolds")
    if held.any():
        x0 = data.positions.double() / model.config.position_scale
        centre = (x0 * held[..., None]).sum(1, keepdim=True) / held.sum(1).clamp(min=1)[:, None, None]
        assert torch.allclose((x0 - centre)[held], state.x[held])
        assert torch.equal(out.positions[held], state.x[held])
    classes = torch.eye(len(model.classes), dtype=torch.float64)[data.atoms]
    known = (times.graph == 0) & mask
    assert bool(known.any()) == (task != "shapes")
    assert torch.equal(state.a[known], classes[known])
    given = (times.pairs == 0) & mask[:, :, None] & mask[:, None]
    bonds = torch.eye(4, dtype=torch.float64)[data.bonds]
    off = given & ~torch.eye(mask.shape[1], dtype=torch.bool)
    assert torch.equal(state.e[off], bonds[off])
    assert all(torch.isfinite(value) for value in losses.values())
    assert (float(losses["positions"]) == 0) == (task == "shapes")
