// Which items are shown, in which order: words or SMARTS, bounds and words of columns, one column to sort by.
const STATE = { sort: 0, down: false, started: false, bounds: new Map(), found: null, shown: [], ticked: new Set(), current: -1 };

function compare(a, b) { // what is missing comes last, either way
  if (a === b) return 0;
  if (a === null || a === undefined || a === "") return 1;
  if (b === null || b === undefined || b === "") return -1;
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  return STATE.down ? -order : order;
}

function passes(item) {
  for (const [k, { low, high, word }] of STATE.bounds) {
    const value = DATA.items[item][k];
    if (word && !String(value ?? "").toLowerCase().includes(word)) return false;
    if ((low !== null || high !== null) && typeof value !== "number") return false;
    if ((low !== null && value < low) || (high !== null && value > high)) return false;
  }
  return STATE.found === null || STATE.found.has(item);
}

function arrange() {
  STATE.shown = [...DATA.items.keys()].filter(passes);
  if (STATE.started) STATE.shown.sort((a, b) => compare(DATA.items[a][STATE.sort], DATA.items[b][STATE.sort]) || a - b);
}

function withWords(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return new Set([...DATA.items.keys()].filter(item => {
    const all = DATA.items[item].filter(value => typeof value === "string").join(" ").toLowerCase();
    return words.every(word => all.includes(word));
  }));
}

const GRAPHS = new Map();
async function withSubstructure(text) {
  const pattern = parseSmarts(text), found = new Set();
  for (const item of DATA.items.keys()) {
    if (!GRAPHS.has(item)) GRAPHS.set(item, graph(await drawing(DATA.records[item][0])));
    const atoms = GRAPHS.get(item);
    if (atoms && matches(pattern, atoms)) found.add(item);
  }
  return found;
}
