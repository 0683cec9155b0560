// Molecules on their way from noise: one slider for the frames of all of them.
const SECONDS = 6, PARTS = 100, CARDS = []; // of the whole way; of positions, in an Å
const LAST = Math.max(...DATA.times.map(times => times.length)); // the finished molecules, after all steps
const SLIDER = $("step"), STATE = { start: null };

function mols({ frames, symbols, ...finished }) { // a molecule for the viewer for every frame
  const steps = frames.map(([x, elements, charges, bonds]) => ({
    atoms: elements.map((e, i) => [symbols[e], ...x.slice(3 * i, 3 * i + 3).map(v => v / PARTS), charges[i]]),
    bonds: bonds.filter((_, n) => n % 3 === 0).map((_, k) => bonds.slice(3 * k, 3 * k + 3)),
  }));
  return [...steps, placed(finished) ?? steps.at(-1)];
}

async function makeCard(k) {
  const card = document.createElement("article"), trajectory = await drawing(k), svg = svgElement(), frames = mols(trajectory);
  card.className = "card";
  card.innerHTML = `<h3>${escaped(trajectory.title)} <span class="formula-text">${escaped(trajectory.formula ?? "")}</span></h3><div class="place"></div>` +
    (trajectory.reason ? `<p class="verdict bad">rejected: ${escaped(trajectory.reason)}</p>` : "") +
    `<p class="smiles"><code>${escaped(trajectory.SMILES ?? "")}</code></p>`;
  svg.setAttribute("class", "view");
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "3-D view; turn it with the arrow keys, zoom with + and -");
  card.querySelector(".place").append(svg);
  const view = makeView(svg, [frames.at(-1)], reach(frames));
  return { card, view, frames };
}

function showStep(step) {
  SLIDER.value = step;
  for (const { view, frames } of CARDS) show(view, [frames[step === LAST ? frames.length - 1 : Math.min(step, frames.length - 2)]]);
  const times = DATA.times[0], t = times[Math.min(step, times.length - 1)];
  $("count").textContent = step === LAST ? "finished" : `step ${step + 1} of ${LAST}, time ${t.toFixed(2)}`;
}

function play(on) {
  if (on && +SLIDER.value === LAST) showStep(0);
  STATE.start = on ? performance.now() - 1000 * SECONDS * SLIDER.value / LAST : null;
  $("toggle").textContent = on ? "Pause" : "Play";
  if (on) requestAnimationFrame(tick);
}

function tick(now) {
  if (STATE.start === null) return;
  const step = Math.max(0, Math.min(LAST, Math.floor(LAST * (now - STATE.start) / 1000 / SECONDS)));
  if (step !== +SLIDER.value) showStep(step);
  step === LAST ? play(false) : requestAnimationFrame(tick);
}

async function begin() {
  SLIDER.max = LAST;
  CARDS.push(...await Promise.all(DATA.times.map((_, k) => makeCard(k))));
  document.querySelector(".cards").append(...CARDS.map(({ card }) => card));
  showStep(0);
  play(!matchMedia("(prefers-reduced-motion: reduce)").matches);
}

$("toggle").addEventListener("click", () => play(STATE.start === null));
SLIDER.addEventListener("input", () => { play(false); showStep(+SLIDER.value); });
begin();
