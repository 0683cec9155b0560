// Cards: one item with its formula, its 3-D view and its properties. The large one stands beside the table.
const VIEWS = new Map(), MOST_OVERLAID = 50;
const column = key => DATA.columns.findIndex(c => c.key === key);
const value = (item, key) => { const k = column(key); return k < 0 ? null : DATA.items[item][k]; };
const shownValue = v => typeof v !== "number" ? escaped(v) : Number.isInteger(v) ? String(v) : String(+v.toPrecision(4));
const RECORD_LABELS = { rank: "Rank", relative_energy_kcal_per_mol: "kcal/mol above the best", rmsd_to_best_angstrom: "Å to the best", method: "Method", relaxation: "Relaxation", fallback_reason: "Fallback", verdict: "Checks" };

function facts(item, all) {
  const first = ["strain_kcal_per_mol", "qed", "sa", "rank", "energy_kcal_per_mol", "relative_energy_kcal_per_mol", "conformers", "energy_span_kcal_per_mol", "largest_rmsd_angstrom", "mw", "logp"];
  const apart = ["title", "verdict", "SMILES", "formula", "unusual", "alerts"];
  const keys = [...first.filter(key => column(key) >= 0), ...(all ? DATA.columns.map(c => c.key).filter(key => !first.includes(key)) : [])];
  return keys.filter(key => !apart.includes(key) && value(item, key) !== null && value(item, key) !== "").map(key => {
    const { label, meaning } = DATA.columns[column(key)];
    return `<div title="${escaped(meaning)}"><dt>${escaped(label)}</dt><dd>${shownValue(value(item, key))}</dd></div>`;
  }).join("");
}

function verdict(item) {
  const word = value(item, "verdict"), unusual = value(item, "unusual"), alerts = value(item, "alerts");
  return `<p class="verdict">${word === "sound" ? '<span class="good">sound valences and geometry</span>' : `<span class="bad">${escaped(word)}</span>`}` +
    (unusual ? ` <span class="unusual">unusual: ${escaped(unusual)}</span>` : "") + (alerts ? ` <span class="alerts">alerts: ${escaped(alerts)}</span>` : "") + "</p>";
}

const sup = formula => escaped(formula).replace(/(\d+)(?![\d]*$|[+-])/g, "<sub>$1</sub>").replace(/([A-Za-z\]])(\d+)$/, "$1<sub>$2</sub>").replace(/([+-]\d*)$/, "<sup>$1</sup>");

async function makeCard(item, large) {
  const card = document.createElement("article"), records = DATA.records[item];
  const drawings = await Promise.all(records.slice(0, MOST_OVERLAID).map(drawing)), mols = drawings.map(placed).filter(Boolean);
  card.className = large ? "card large" : "card";
  card.dataset.item = item;
  card.innerHTML = `<h3><span class="number">${item + 1}</span> ${escaped(value(item, "title") || "")} <span class="formula-text">${sup(value(item, "formula") ?? "")}</span></h3>` +
    `<div class="pictures">${drawings[0].svg}<div class="place"></div></div>` + verdict(item) +
    `<p class="smiles"><code>${escaped(value(item, "SMILES") ?? "")}</code></p><dl class="facts">${facts(item, large)}</dl>` +
    `<p class="links"><button class="copy">Copy SMILES</button> <button class="save">SDF</button></p>`;
  const svg = svgElement();
  if (mols.length) {
    svg.setAttribute("class", "view");
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", "3-D view; turn it with the arrow keys, zoom with + and -");
    card.querySelector(".place").append(svg);
    const view = makeView(svg, mols);
    VIEWS.set(svg, view);
    if (large && records.length > 1) card.querySelector(".verdict").before(...ensemble(item, view, mols, records.length));
  } else {
    card.querySelector(".place").innerHTML = `<p class="missing">No 3-D view: ${escaped(drawings[0].missing ?? "the record is neither V2000 nor V3000")}</p>`;
  }
  card.querySelector(".save").addEventListener("click", () => saveSdf([item], `molecule_${item + 1}`));
  card.querySelector(".copy").addEventListener("click", () => navigator.clipboard?.writeText(value(item, "SMILES") ?? ""));
  return card;
}

function ensemble(item, view, mols, total) { // the chart, and what is said of the conformer that is chosen in it
  const conformers = DATA.conformers[item] ?? [], about = document.createElement("p");
  const choose = k => {
    view.chosen = k < mols.length ? k : undefined;
    draw(view);
    about.innerHTML = k === undefined ? `${total} conformers, laid over the first (heavy atoms)${total > mols.length ? `; ${mols.length} are drawn` : ""}. Choose one in the chart.`
      : `Conformer ${k + 1}: ` + DATA.of_records.map((name, n) => [RECORD_LABELS[name], conformers[k][n]]).filter(([label, v]) => label && v !== null)
        .map(([label, v]) => `${label} <b>${shownValue(v)}</b>`).join(" · ");
  };
  about.className = "chosen";
  choose(undefined);
  const picture = conformers.length ? chart(conformers, choose) : null;
  return picture ? [about, picture] : [about];
}

const CARDS = { drawn: 0, busy: false, lot: 12 };
async function moreCards() { // the next ones, when the reader comes near
  if (CARDS.busy || CARDS.drawn >= STATE.shown.length) return;
  CARDS.busy = true;
  const list = document.querySelector("#cards .cards"), version = CARDS.version;
  const cards = await Promise.all(STATE.shown.slice(CARDS.drawn, CARDS.drawn + CARDS.lot).map(item => makeCard(item, false)));
  if (version === CARDS.version) {
    list.append(...cards);
    CARDS.drawn += cards.length;
  }
  CARDS.busy = false;
  $("more").textContent = CARDS.drawn < STATE.shown.length ? `${CARDS.drawn} of ${STATE.shown.length} drawn; more on the way down` : "";
  if (near()) moreCards();
}

const near = () => $("more").getBoundingClientRect().top < innerHeight + 600;
function renewCards() {
  CARDS.version = (CARDS.version ?? 0) + 1;
  CARDS.drawn = 0;
  document.querySelector("#cards .cards").replaceChildren();
  if (near()) moreCards();
}
addEventListener("scroll", () => near() && moreCards(), { passive: true });
