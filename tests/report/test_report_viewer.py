"""The viewer's projection and turning, run by node against a page of one view. Skipped where there is no node."""

import json
import re
import shutil
import subprocess
from importlib import resources

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

BROWSER = """
const input = JSON.parse(require("fs").readFileSync(0, "utf8")), handlers = {}, drawings = [];
const svg = {
  dataset: { mol: JSON.stringify(input.mol) },
  addEventListener: (name, handler) => { handlers[name] = handler; },
  set innerHTML(text) { drawings.push(text); },
};
globalThis.document = {
  getElementById: () => ({ textContent: JSON.stringify(input.looks) }),
  querySelectorAll: () => [svg],
};
(0, eval)(input.script);
for (const [name, event] of input.events) handlers[name]({ preventDefault() {}, buttons: 1, ...event });
console.log(JSON.stringify(drawings));
"""

LOOKS = {"C": [0.2, "#565b61"], "H": [0.1, "#f4f4f4"]}
AXES = [["C", 0, 0, 0, 0], ["H", 1, 0, 0, 0], ["H", 0, 1, 0, 0], ["H", 0, 0, 1, 0]]


def draw(atoms, bonds, events=()):
    """What the viewer draws at first, and after each event."""
    script = resources.files("molscore.report").joinpath("viewer.js").read_text(encoding="utf-8")
    given = {"mol": {"atoms": atoms, "bonds": bonds}, "looks": LOOKS, "script": script, "events": list(events)}
    process = subprocess.run(
        ["node", "-e", BROWSER], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    return json.loads(process.stdout)


def balls(drawing):
    """Atoms as (number from 1, x, y upwards), farthest first."""
    circles = re.findall(r"atom (\d+)</title><circle cx=\"([-.\d]+)\" cy=\"([-.\d]+)\"", drawing)
    return [(int(number), float(x), -float(y)) for number, x, y in circles]


def frame(drawing):
    """The rotation that takes the axes to where they are drawn, rows right, up, towards the reader; the depth order."""
    circles = balls(drawing)
    right, up = np.array([(x, y) for _, x, y in sorted(circles)[1:]]).T
    scale = (np.linalg.norm(right) + np.linalg.norm(up)) / 2
    right, up = right / scale, up / scale
    return np.stack([right, up, np.cross(right, up)]), [number - 2 for number, _, _ in circles if number > 1]


def test_x_goes_right_y_up_and_z_towards_the_reader():
    (drawing,) = draw(AXES, [])
    rotation, order = frame(drawing)
    assert np.allclose(rotation, np.eye(3))
    assert balls(drawing)[-1][0] == 4 and order[-1] == 2  # z is nearest, drawn last


@pytest.mark.parametrize(
    "event",
    [
        ["pointermove", {"movementX": 40, "movementY": 25}],
        ["keydown", {"key": "ArrowRight"}],
        ["keydown", {"key": "ArrowUp"}],
    ],
)
def test_turning_is_a_rotation_and_depth_follows(event):
    drawings = draw(AXES, [], [event] * 12)
    assert len(drawings) == 13
    for drawing in drawings:
        rotation, order = frame(drawing)
        assert np.allclose(rotation @ rotation.T, np.eye(3), atol=0.01)  # tenths of a pixel at 34 pixels an Å
        depths = rotation[2][order]
        assert (np.diff(depths) > -0.02).all()
    assert not np.allclose(frame(drawings[1])[0], np.eye(3), atol=0.1)


def test_a_drag_moves_the_front_with_the_pointer():
    right = balls(draw(AXES, [], [["pointermove", {"movementX": 20, "movementY": 0}]])[1])
    down = balls(draw(AXES, [], [["pointermove", {"movementX": 0, "movementY": 20}]])[1])
    assert next(x for number, x, _ in right if number == 4) > 5
    assert next(y for number, _, y in down if number == 4) < -5


def test_a_double_click_turns_back():
    first, turned, back = draw(AXES, [], [["keydown", {"key": "ArrowLeft"}], ["dblclick", {}]])
    assert turned != first and back == first


def test_bond_orders_are_parallel_lines():
    for order in (1, 2, 3):
        (drawing,) = draw(AXES[:2], [[0, 1, order]])
        lines = re.findall(r'<line x1="([-.\d]+)" y1="([-.\d]+)" x2="([-.\d]+)" y2="([-.\d]+)" stroke="(\S+)"', drawing)
        assert len(lines) == order * 2 * 2  # each in two halves, each of these with an edge
        heights = {y1 for _, y1, _, y2, _ in lines if y1 == y2}
        assert len(heights) == order and len(lines) == sum(y1 == y2 for _, y1, _, y2, _ in lines)
        assert len({colour for *_, colour in lines}) >= 3


def test_charges_are_written():
    (drawing,) = draw([["C", 0, 0, 0, 1], ["C", 2, 0, 0, -2]], [])
    assert re.findall(r">([^<>]+)</text>", drawing)[:2] == ["+", "2−"]
