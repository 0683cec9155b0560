"use strict";
// What the page holds. Properties stand in DATA; the drawings (SDF record, formula, first view, aromatic bonds, rings) are
// packed in lots of DATA.lot records, each unpacked when one of its records is first asked for.
const $ = id => document.getElementById(id);
const DATA = JSON.parse($("data").textContent);
const LOTS = [...document.querySelectorAll("script.lot")], UNPACKED = new Map();
const svgElement = () => document.createElementNS(document.querySelector("svg").namespaceURI, "svg");
const escaped = text => String(text).replace(/[&<>"]/g, c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

async function unpack(element) {
  const bytes = Uint8Array.from(atob(element.textContent), c => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

async function drawing(record) { // {sdf, svg, view, aromatic, rings, missing}
  const lot = Math.floor(record / DATA.lot);
  if (!UNPACKED.has(lot)) UNPACKED.set(lot, unpack(LOTS[lot]));
  return (await UNPACKED.get(lot))[record % DATA.lot];
}

function molecule(sdf) { // of a mol block: atoms [symbol, x, y, z, charge] in Å, bonds [i, j, order]; null if it is neither format
  const lines = sdf.split("\n"), version = lines[3].slice(34, 39);
  const mol = version === "V2000" ? v2000(lines) : version === "V3000" ? v3000(lines) : null;
  for (const bond of mol?.bonds ?? []) if (!(bond[2] <= 3)) bond[2] = 1; // dative and the like
  return mol;
}

function v2000(lines) {
  const n = +lines[3].slice(0, 3), m = +lines[3].slice(3, 6);
  const atoms = lines.slice(4, 4 + n).map(line => [line.slice(31, 34).trim(), +line.slice(0, 10), +line.slice(10, 20), +line.slice(20, 30), 0]);
  const bonds = lines.slice(4 + n, 4 + n + m).map(line => [line.slice(0, 3) - 1, line.slice(3, 6) - 1, +line.slice(6, 9)]);
  for (const line of lines.slice(4 + n + m)) {
    if (line.startsWith("M  END")) break;
    if (!line.startsWith("M  CHG")) continue;
    const pairs = line.slice(9).trim().split(/\s+/).map(Number);
    for (let k = 0; k < pairs.length; k += 2) atoms[pairs[k] - 1][4] = pairs[k + 1];
  }
  return { atoms, bonds };
}

function v3000(lines) { // atoms are named by any numbers; a line that ends in - goes on in the next
  const atoms = [], bonds = [], places = new Map();
  let block = "", text = "";
  for (const line of lines.slice(4, lines.findIndex(line => line.startsWith("M  END")))) {
    text += line.slice(7);
    if (text.endsWith("-")) { text = text.slice(0, -1); continue; }
    const words = text.trim().split(/\s+/);
    text = "";
    if (words[0] === "BEGIN" || words[0] === "END") block = words[0] === "BEGIN" ? words[1] : "";
    else if (block === "ATOM") {
      places.set(words[0], atoms.length);
      const charge = words.find(word => word.startsWith("CHG="));
      atoms.push([words[1], ...words.slice(2, 5).map(Number), charge ? +charge.slice(4) : 0]);
    } else if (block === "BOND") bonds.push([places.get(words[2]), places.get(words[3]), +words[1]]);
  }
  return { atoms, bonds };
}

function placed({ sdf, view }) { // the molecule in its first view; null if there is nothing to draw
  const mol = sdf ? molecule(sdf) : null;
  if (!mol || !view) return null;
  for (const atom of mol.atoms) {
    const [x, y, z] = atom.slice(1, 4);
    for (let k = 0; k < 3; k++) atom[1 + k] = view[3 * k] * x + view[3 * k + 1] * y + view[3 * k + 2] * z + view[9 + k];
  }
  return mol;
}
