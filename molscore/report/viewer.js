// 3-D views of molecules [symbol, x, y, z, charge], [i, j, order] in an <svg>: balls and sticks, or for several at once
// sticks. Parallel projection onto the page: x to the right, y upwards, z towards the reader; what is farther is drawn
// earlier and paler. The turn is a rotation matrix; drags and arrow keys multiply it from the left.
const LOOKS = JSON.parse(document.getElementById("elements").textContent);
const STICK = [0, 0.12, 0.065, 0.05], GAP = 0.23, LARGEST = 34; // half-widths and gap in Å, pixels per Å
const HALF = [150, 125], ZOOM = [0.3, 12]; // of the picture, in pixels; least and most
const UNTURNED = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
const OVERLAY = ["#1f5f8b", "#c2611a", "#3f8f3f", "#8a4fa3", "#b03a48", "#2a8f8f", "#8a7a1f", "#5b6875"];

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

function zoom(view, factor) {
  view.zoom = Math.min(ZOOM[1], Math.max(ZOOM[0], view.zoom * factor));
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

function balls({ atoms, bonds }, view) { // [depth, SVG] of every part
  const places = atoms.map(atom => apply(view.turned, atom.slice(1, 4))), parts = [];
  for (const [i, j, order] of bonds) {
    parts.push(half(view, places[i], places[j], atoms[i][0], order), half(view, places[j], places[i], atoms[j][0], order));
  }
  atoms.forEach((atom, i) => parts.push([places[i][2], ball(view, places[i], atom, i)]));
  return parts;
}

function sticks({ atoms, bonds }, view, colour, emphasis) { // heavy atoms; hetero atoms in their own colours
  const places = atoms.map(atom => apply(view.turned, atom.slice(1, 4))), parts = [];
  const width = (emphasis ? 0.17 : 0.1) * view.scale, opacity = emphasis === false ? 0.25 : 0.9;
  for (const [i, j] of bonds) {
    if (atoms[i][0] === "H" || atoms[j][0] === "H") continue;
    for (const [a, b] of [[i, j], [j, i]]) {
      const middle = along(places[a], places[b], 0.5), z = (places[a][2] + middle[2]) / 2;
      const [x1, y1, x2, y2] = [places[a][0], -places[a][1], middle[0], -middle[1]].map(v => (view.scale * v).toFixed(1));
      const own = atoms[a][0] === "C" ? colour : LOOKS[atoms[a][0]][1];
      parts.push([z, `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${pale(own, view.fog(z))}" ` +
        `stroke-width="${width.toFixed(1)}" stroke-linecap="round" opacity="${opacity}"/>`]);
    }
  }
  return parts;
}

function draw(view) {
  view.scale = view.zoom * Math.min(LARGEST, (HALF[1] - 8) / view.reach);
  const chosen = view.chosen, several = view.mols.length > 1;
  const parts = !several ? balls(view.mols[0], view) : view.mols.flatMap((mol, k) =>
    sticks(mol, view, OVERLAY[k % OVERLAY.length], chosen === undefined ? undefined : chosen === k));
  const [x, y] = [4 - HALF[0], HALF[1] - 12];
  const ruler = `<path class="ruler" d="M${x} ${y}v4h${Math.min(view.scale, 2 * HALF[0] - 20).toFixed(1)}v-4"/><text class="length" x="${x}" y="${y - 5}">1 Å</text>`;
  view.svg.innerHTML = parts.sort((a, b) => a[0] - b[0]).map(part => part[1]).join("") + ruler;
}

const reach = mols => Math.max(...mols.flatMap(mol => mol.atoms.map(atom => Math.hypot(...atom.slice(1, 4)) + LOOKS[atom[0]][0])));

function show(view, mols) { // other molecules, or another frame of them, in the same size and turn
  view.mols = mols;
  draw(view);
}

function makeView(svg, mols, size = reach(mols)) { // listens to mouse, touch and keys; size in Å
  const view = { svg, reach: size, turned: UNTURNED, zoom: 1 }, fingers = new Map();
  const apart = () => { const [a, b] = [...fingers.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]) || 1; };
  svg.setAttribute("viewBox", `${-HALF[0]} ${-HALF[1]} ${2 * HALF[0]} ${2 * HALF[1]}`);
  view.fog = z => 0.4 * Math.min(1, Math.max(0, 0.2 - z / size));
  show(view, mols);
  svg.addEventListener("pointerdown", event => {
    svg.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
  });
  svg.addEventListener("pointermove", event => {
    const last = fingers.get(event.pointerId), place = [event.clientX, event.clientY];
    if (!last) return;
    const before = fingers.size === 2 ? apart() : 0;
    fingers.set(event.pointerId, place);
    if (before) zoom(view, apart() / before);
    else if (fingers.size === 1) turn(view, (place[0] - last[0]) / 90, (place[1] - last[1]) / 90);
  });
  for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, event => fingers.delete(event.pointerId));
  svg.addEventListener("wheel", event => { event.preventDefault(); zoom(view, Math.exp(-event.deltaY / 600)); });
  svg.addEventListener("dblclick", () => { view.turned = UNTURNED; view.zoom = 1; draw(view); });
  svg.addEventListener("keydown", event => {
    const step = { ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowUp: [0, -0.2], ArrowDown: [0, 0.2] }[event.key];
    const factor = { "+": 1.2, "=": 1.2, "-": 1 / 1.2 }[event.key];
    if (step || factor) event.preventDefault();
    if (step) turn(view, ...step);
    if (factor) zoom(view, factor);
  });
  return view;
}
