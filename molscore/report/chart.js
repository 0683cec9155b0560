// Energy against RMSD of the conformers of a molecule: a dot each, the colour that of its sticks in the overlay.
function chart(conformers, choose) { // conformers: one array of DATA.of_records each
  const of = name => conformers.map(values => values[DATA.of_records.indexOf(name)]);
  const number = v => typeof v === "number" ? v : null;
  const x = of("rmsd_to_best_angstrom").map(number), relative = of("relative_energy_kcal_per_mol").map(number);
  const energies = of("energy_kcal_per_mol").map(number).filter(v => v !== null), least = Math.min(...energies);
  const y = relative.map((v, k) => v ?? (number(of("energy_kcal_per_mol")[k]) === null ? null : of("energy_kcal_per_mol")[k] - least));
  const methods = of("method"), dots = x.map((v, k) => k).filter(k => x[k] !== null && y[k] !== null);
  const svg = svgElement();
  svg.setAttribute("viewBox", "0 0 300 170");
  svg.setAttribute("class", "chart");
  if (!dots.length) return null;
  const wide = Math.max(...dots.map(k => x[k]), 0.1) * 1.06, high = Math.max(...dots.map(k => y[k]), 0.1) * 1.06;
  const across = v => 36 + 254 * v / wide, up = v => 140 - 130 * v / high;
  const ticks = most => { const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200].find(s => most / s < 6) ?? most; return [...Array(Math.floor(most / step) + 1).keys()].map(k => +(k * step).toFixed(2)); };
  svg.innerHTML = ticks(wide).map(v => `<path class="tick" d="M${across(v)} 140v4"/><text x="${across(v)}" y="154" text-anchor="middle">${v}</text>`).join("") +
    ticks(high).map(v => `<path class="tick" d="M36 ${up(v)}h-4"/><text x="29" y="${up(v) + 3}" text-anchor="end">${v}</text>`).join("") +
    `<path class="axis" d="M36 10V140H290"/><text x="163" y="167" text-anchor="middle">RMSD to the best, Å</text>` +
    `<text transform="translate(9 75) rotate(-90)" text-anchor="middle">kcal/mol above it</text>` +
    dots.map(k => `<circle class="dot" data-k="${k}" cx="${across(x[k]).toFixed(1)}" cy="${up(y[k]).toFixed(1)}" r="5" fill="${OVERLAY[k % OVERLAY.length]}"` +
      `${methods[k] === "etkdg" ? ' stroke="#1b2733" stroke-width="2"' : ""}><title>conformer ${k + 1}: ${x[k].toFixed(2)} Å, ${y[k].toFixed(2)} kcal/mol${methods[k] ? `, ${escaped(methods[k])}` : ""}</title></circle>`).join("");
  svg.addEventListener("click", event => {
    const k = event.target.dataset.k;
    choose(k === undefined ? undefined : +k);
    for (const dot of svg.querySelectorAll(".dot")) dot.setAttribute("r", dot.dataset.k === k ? 8 : 5);
  });
  return svg;
}
