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
globalThis.svg = {
  addEventListener: (name, handler) => { handlers[name] = handler; },
  setAttribute() {}, setPointerCapture() {},
  set innerHTML(text) { drawings.push(text); },
};
globalThis.mols = [input.mol];
globalThis.document = { getElementById: () => ({ textContent: JSON.stringify(input.looks) }) };
(0, eval)(input.script + "; makeView(svg, mols)");
for (const [name, event] of input.events) handlers[name]({ preventDefault() {}, ...event });
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
    start = ["pointerdown", {"pointerId": 1, "clientX": 100, "clientY": 100}]
    right = balls(draw(AXES, [], [start, ["pointermove", {"pointerId": 1, "clientX": 120, "clientY": 100}]])[1])
    down = balls(draw(AXES, [], [start, ["pointermove", {"pointerId": 1, "clientX": 100, "clientY": 120}]])[1])
    assert next(x for number, x, _ in right if number == 4) > 5
    assert next(y for number, _, y in down if number == 4) < -5


def test_the_wheel_and_two_fingers_zoom():
    """About the middle; two fingers by as much as they move apart."""
    touch = [("pointerdown", 1, 0), ("pointerdown", 2, 100), ("pointermove", 2, 150)]
    fingers = [[name, {"pointerId": number, "clientX": x, "clientY": 0}] for name, number, x in touch]
    for events, factor in (([["wheel", {"deltaY": -300}]], np.exp(0.5)), (fingers, 1.5)):
        before, after = draw(AXES, [], events)
        places = [np.array([place for _, *place in sorted(balls(drawing))]) for drawing in (before, after)]
        assert np.allclose(places[1], factor * places[0], atol=0.15)


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
