"use strict";
// Ball-and-stick views. Each <svg class="view"> holds its molecule in data-mol: atoms [symbol, x, y, z, charge] in Å,
// bonds [i, j, order]. Parallel projection onto the page: x to the right, y upwards, z towards the reader; what is
// farther is drawn earlier and paler. The turn is a rotation matrix; drags and arrow keys multiply it from the left.
const LOOKS = JSON.parse(document.getElementById("elements").textContent);
const STICK = [0, 0.12, 0.065, 0.05], GAP = 0.23, LARGEST = 34; // half-widths and gap in Å, pixels per Å
const UNTURNED = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];

const apply = (m, v) => m.map(r => r[0] * v[0] + r[1] * v[1] + r[2] * v[2]);
const along = (a, b, s) => a.map((v, k) => v + s * (b[k] - v));

function rotation(right, down) { // radians: the front goes to the right, then down
  const [c, s, d, t] = [Math.cos(right), Math.sin(right), Math.cos(down), Math.sin(down)];
  return [[c, 0, s], [t * s, d, -t * c], [-d * s, t, d * c]];
}

function turn(view, right, down) {
  const step = rotation(right, down);
  view.turned = step.map(r => [0, 1, 2].map(k => r[0] * view.turned[0][k] + r[1] * view.turned[1][k] + r[2] * view.turned[2][k]));
  draw(view);
}

function pale(colour, share) {
  return "#" + [1, 3, 5].map(k => Math.round(255 * share + (1 - share) * parseInt(colour.slice(k, k + 2), 16))
    .toString(16).padStart(2, "0")).join("");
}

function ball(view, place, [symbol, , , , charge], number) {
  const [x, y, r] = [view.scale * place[0], -view.scale * place[1], view.scale * LOOKS[symbol][0]].map(v => v.toFixed(1));
  const sign = charge ? (Math.abs(charge) > 1 ? Math.abs(charge) : "") + (charge > 0 ? "+" : "−") : "";
  const circle = `<circle cx="${x}" cy="${y}" r="${r}"`;
  return `<g><title>${symbol}${sign}, atom ${number + 1}</title>${circle} fill="url(#ball-${symbol})"/>` +
    `${circle} fill="#fff" opacity="${view.fog(place[2]).toFixed(2)}"/>` +
    (sign ? `<text class="charge" x="${x}" y="${y}">${sign}</text>` : "") + "</g>";
}

function half(view, a, b, symbol, order) { // from the surface of ball a to the middle of the bond
  const length = Math.hypot(...a.map((v, k) => b[k] - v)) || 1, flat = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
  const start = along(a, b, Math.min(0.5, 0.85 * LOOKS[symbol][0] / length)), end = along(a, b, 0.5);
  const z = (start[2] + end[2]) / 2, width = 2 * STICK[order] * view.scale;
  const across = [-(b[1] - a[1]) / flat, (b[0] - a[0]) / flat];
  let lines = "";
  for (let k = 0; k < order; k++) {
    const shift = (k - (order - 1) / 2) * GAP;
    const [x1, y1, x2, y2] = [start[0] + shift * across[0], -start[1] - shift * across[1],
      end[0] + shift * across[0], -end[1] - shift * across[1]].map(v => (view.scale * v).toFixed(1));
    const line = `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"`;
    lines += `${line} stroke="${pale("#333b44", view.fog(z))}" stroke-width="${(width + 1.4).toFixed(1)}"/>` +
      `${line} stroke="${pale(LOOKS[symbol][1], view.fog(z))}" stroke-width="${width.toFixed(1)}"/>`;
  }
  return [z, lines];
}

function draw(view) {
  const { atoms, bonds } = view.mol, places = atoms.map(atom => apply(view.turned, atom.slice(1, 4))), parts = [];
  for (const [i, j, order] of bonds) {
    parts.push(half(view, places[i], places[j], atoms[i][0], order), half(view, places[j], places[i], atoms[j][0], order));
  }
  atoms.forEach((atom, i) => parts.push([places[i][2], ball(view, places[i], atom, i)]));
  const ruler = `<path class="ruler" d="M-126 111v4h${view.scale.toFixed(1)}v-4"/><text class="length" x="-126" y="106">1 Å</text>`;
  view.svg.innerHTML = parts.sort((a, b) => a[0] - b[0]).map(part => part[1]).join("") + ruler;
}

for (const svg of document.querySelectorAll("svg.view")) {
  const mol = JSON.parse(svg.dataset.mol), view = { svg, mol, turned: UNTURNED };
  const reach = Math.max(...mol.atoms.map(atom => Math.hypot(...atom.slice(1, 4)) + LOOKS[atom[0]][0]));
  view.scale = Math.min(LARGEST, 117 / reach);
  view.fog = z => 0.4 * Math.min(1, Math.max(0, 0.2 - z / reach));
  draw(view);
  svg.addEventListener("pointerdown", event => svg.setPointerCapture(event.pointerId));
  svg.addEventListener("pointermove", event => event.buttons && turn(view, event.movementX / 90, event.movementY / 90));
  svg.addEventListener("dblclick", () => { view.turned = UNTURNED; draw(view); });
  svg.addEventListener("keydown", event => {
    const step = { ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowUp: [0, -0.2], ArrowDown: [0, 0.2] }[event.key];
    if (step) { event.preventDefault(); turn(view, ...step); }
  });
}
