// The property table: only the rows in sight exist. Below it all, what the buttons do.
const ROW = 62, BODY = GRID.tBodies[0];

function line(item) {
  const cells = SHOWN.columns.map(k => {
    const c = DATA.columns[k], v = DATA.items[item][k];
    if (v === null || v === undefined || v === "") return `<td class="none">–</td>`;
    const mark = c.key === "verdict" && v !== "sound" ? "bad" : c.key === "unusual" ? "unusual" : "";
    return `<td class="${c.number ? "figure" : ""} ${mark}"><div title="${escaped(v)}">${shownValue(v)}</div></td>`;
  }).join("");
  return `<tr data-item="${item}" class="${item === STATE.current ? "current" : ""}"><td><input type="checkbox" aria-label="select ${item + 1}"${STATE.ticked.has(item) ? " checked" : ""}></td>` +
    `<td class="figure">${item + 1}</td><td class="small" data-record="${DATA.records[item][0]}"></td>${cells}</tr>`;
}

function rows() { // those in sight, between two empty rows as high as all others
  const first = Math.max(0, Math.floor(SCROLL.scrollTop / ROW) - 4), last = Math.min(STATE.shown.length, first + Math.ceil(SCROLL.clientHeight / ROW) + 8);
  const empty = n => `<tr class="empty" style="height:${n * ROW}px"><td colspan="${SHOWN.columns.length + 3}"></td></tr>`;
  BODY.innerHTML = empty(first) + STATE.shown.slice(first, last).map(line).join("") + empty(STATE.shown.length - last);
  for (const cell of BODY.querySelectorAll(".small")) drawing(+cell.dataset.record).then(({ svg }) => { cell.innerHTML = svg; });
}

function counted() {
  const n = STATE.shown.length, all = DATA.items.length, ticked = STATE.ticked.size;
  $("count").textContent = `${n === all ? `all ${all}` : `${n} of ${all}`} shown, ${ticked} selected`;
}

function renew() {
  arrange();
  SCROLL.scrollTop = 0;
  rows();
  counted();
  renewCards();
}

async function choose(item) {
  STATE.current = item;
  for (const row of BODY.querySelectorAll("tr[data-item]")) row.classList.toggle("current", +row.dataset.item === item);
  $("panel").replaceChildren(await makeCard(item, true));
}

function sortBy(k) {
  STATE.down = STATE.started && STATE.sort === k ? !STATE.down : false;
  [STATE.sort, STATE.started] = [k, true];
  head();
  renew();
}

function bound(input) {
  const k = +input.dataset.k, bounds = STATE.bounds.get(k) ?? { low: null, high: null, word: "" };
  const text = input.value.trim().replace(",", ".");
  const number = text === "" ? null : Number(text);
  input.classList.toggle("wrong", input.dataset.end !== "word" && Number.isNaN(number));
  bounds[input.dataset.end] = input.dataset.end === "word" ? input.value.trim().toLowerCase() : Number.isNaN(number) ? null : number;
  STATE.bounds.set(k, bounds);
  renew();
}

let asked = 0;
async function search() {
  const text = $("search").value.trim(), mine = ++asked;
  $("problem").hidden = true;
  try {
    const found = !text ? null : $("kind").value === "text" ? withWords(text) : await withSubstructure(text);
    if (mine !== asked) return; // the reader has typed on
    STATE.found = found;
    renew();
  } catch (error) {
    if (mine !== asked) return;
    $("problem").textContent = error.message;
    $("problem").hidden = false;
  }
}

const chosenItems = () => { const ticked = STATE.shown.filter(item => STATE.ticked.has(item)); return STATE.ticked.size ? [...ticked, ...[...STATE.ticked].filter(item => !STATE.shown.includes(item))] : STATE.shown; };

function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function saveSdf(items, name) {
  const parts = [];
  for (const item of items) for (const record of DATA.records[item]) parts.push((await drawing(record)).sdf ?? "");
  save(`${name}.sdf`, "chemical/x-mdl-sdfile", parts.join(""));
}

function saveCsv(items, name) {
  const quoted = v => v === null || v === undefined ? "" : /[",\r\n]/.test(v) ? `"${String(v).replaceAll('"', '""')}"` : String(v);
  const lines = [DATA.columns.map(c => c.key), ...items.map(item => DATA.items[item])];
  save(`${name}.csv`, "text/csv", lines.map(values => values.map(quoted).join(",") + "\n").join(""));
}

SCROLL.addEventListener("scroll", rows, { passive: true });
addEventListener("resize", () => { if (!SHOWN.chosen) showColumns(fitting(), false); rows(); });
GRID.tHead.addEventListener("click", event => event.target.tagName === "BUTTON" && sortBy(+event.target.dataset.k));
GRID.tHead.addEventListener("input", event => bound(event.target));
BODY.addEventListener("click", event => {
  const row = event.target.closest("tr[data-item]");
  if (!row) return;
  const item = +row.dataset.item;
  if (event.target.type === "checkbox") {
    STATE.ticked[event.target.checked ? "add" : "delete"](item);
    counted();
  } else choose(item);
});
SCROLL.addEventListener("keydown", event => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], place = STATE.shown.indexOf(STATE.current) + step;
  if (!step || event.target !== SCROLL || place < 0 || place >= STATE.shown.length) return;
  event.preventDefault();
  if (place * ROW < SCROLL.scrollTop || (place + 2) * ROW > SCROLL.scrollTop + SCROLL.clientHeight - 60) SCROLL.scrollTop += step * ROW;
  choose(STATE.shown[place]);
});
$("search").addEventListener("input", search);
$("kind").addEventListener("change", () => {
  $("search").placeholder = $("kind").value === "text" ? "title, SMILES, formula, alerts …" : "[NX3][CX3]=O";
  search();
});
$("shown").addEventListener("click", () => { STATE.shown.forEach(item => STATE.ticked.add(item)); rows(); counted(); });
$("none").addEventListener("click", () => { STATE.ticked.clear(); rows(); counted(); });
$("sdf").addEventListener("click", () => saveSdf(chosenItems(), "selection"));
$("csv").addEventListener("click", () => saveCsv(chosenItems(), "selection"));
arrange();
showColumns(fitting(), false);
renew();
choose(0);
