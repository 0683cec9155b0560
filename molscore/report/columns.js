// The columns of the table: as many as the page is wide, the most important first, until the reader chooses.
const GRID = $("grid"), SCROLL = $("scroll"), MENU = $("columns");
const WIDTHS = { title: 124, SMILES: 240, verdict: 92, unusual: 150, alerts: 170, formula: 112, fallback_reason: 140, relaxation: 130, method: 110, conformers: 80, energy_span_kcal_per_mol: 80, largest_rmsd_angstrom: 80, relative_energy_kcal_per_mol: 84 };
const FIXED = [30, 40, 118]; // tick, number, formula
const FIRST = ["conformers", "energy_span_kcal_per_mol", "largest_rmsd_angstrom", "strain_kcal_per_mol", "qed", "sa", "title", "verdict", "unusual", "alerts"];
const SHOWN = { columns: [], chosen: false };

const widthOf = k => WIDTHS[DATA.columns[k].key] ?? (DATA.columns[k].number ? 76 : 110);
const sum = numbers => numbers.reduce((a, b) => a + b, 0);
const filtered = k => { const { low, high, word } = STATE.bounds.get(k) ?? {}; return Boolean(word) || (low ?? high ?? null) !== null; };

function fitting() { // those with a filter anyway, then what there is room for
  const importance = k => { const place = FIRST.indexOf(DATA.columns[k].key); return place < 0 ? FIRST.length + k : place; };
  const all = [...DATA.columns.keys()], columns = all.filter(filtered);
  let room = SCROLL.clientWidth - sum(FIXED) - sum(columns.map(widthOf));
  for (const k of all.filter(k => !filtered(k)).sort((a, b) => importance(a) - importance(b))) {
    if (widthOf(k) > room) break;
    columns.push(k);
    room -= widthOf(k);
  }
  return columns.sort((a, b) => a - b);
}

function head() {
  const widths = [...FIXED, ...SHOWN.columns.map(widthOf)], kept = k => STATE.bounds.get(k) ?? {};
  GRID.querySelector("colgroup").innerHTML = widths.map(w => `<col style="width:${w}px">`).join("");
  GRID.style.minWidth = `${sum(widths)}px`;
  const sorted = k => !STATE.started || STATE.sort !== k ? "none" : STATE.down ? "descending" : "ascending";
  const input = (k, end, hint, label) => `<input${end === "word" ? ' class="word"' : ' inputmode="decimal"'} data-k="${k}" data-end="${end}" placeholder="${hint}" aria-label="${escaped(label)}" value="${escaped(kept(k)[end] ?? "")}">`;
  GRID.tHead.innerHTML = `<tr><th></th><th class="figure">#</th><th>Formula</th>` + SHOWN.columns.map(k => {
    const { label, meaning, number } = DATA.columns[k];
    return `<th class="${number ? "figure" : ""}" title="${escaped(meaning)}" aria-sort="${sorted(k)}"><button data-k="${k}">${escaped(label)}</button></th>`;
  }).join("") + `</tr><tr class="bounds"><th></th><th></th><th></th>` + SHOWN.columns.map(k => {
    const { label, number } = DATA.columns[k];
    return `<th>${number ? input(k, "low", "min", `least ${label}`) + input(k, "high", "max", `most ${label}`) : input(k, "word", "contains", `${label} contains`)}</th>`;
  }).join("") + "</tr>";
}

function menu() {
  $("choose").textContent = `Columns: ${SHOWN.columns.length} of ${DATA.columns.length}`;
  MENU.innerHTML = DATA.columns.map(({ label, meaning }, k) =>
    `<label title="${escaped(meaning)}"><input type="checkbox" data-k="${k}"${SHOWN.columns.includes(k) ? " checked" : ""}> ${escaped(label)}</label>`).join("") +
    `<button id="fit"${SHOWN.chosen ? "" : " disabled"}>As many as fit</button>`;
}

function showColumns(columns, chosen) { // a column that is no longer shown filters no longer
  if (String(columns) === String(SHOWN.columns) && chosen === SHOWN.chosen) return;
  const lost = SHOWN.columns.filter(k => !columns.includes(k) && filtered(k));
  lost.forEach(k => STATE.bounds.delete(k));
  [SHOWN.columns, SHOWN.chosen] = [columns, chosen];
  head();
  menu();
  lost.length ? renew() : rows();
}

$("choose").addEventListener("click", () => {
  MENU.hidden = !MENU.hidden;
  $("choose").setAttribute("aria-expanded", String(!MENU.hidden));
});
MENU.addEventListener("change", () =>
  showColumns([...MENU.querySelectorAll("input:checked")].map(box => +box.dataset.k), true));
MENU.addEventListener("click", event => event.target.id === "fit" && showColumns(fitting(), false));
