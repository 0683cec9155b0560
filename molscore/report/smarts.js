// SMARTS: parsed to a pattern, matched by backtracking. Hydrogens are counted, they are no atoms; stereo, isotopes and
// atom maps are not looked at. After the Daylight theory manual and RDKit's documentation: r<n> is the smallest ring of
// an atom, R<n> the number of its rings in the smallest set of smallest rings, x<n> the number of its ring bonds.
const SYMBOLS = ("* H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr " +
  "Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi").split(" ");
const NUMBER = new Map(SYMBOLS.map((symbol, z) => [symbol, z])), AROMATIC = { b: 5, c: 6, n: 7, o: 8, p: 15, s: 16, se: 34, as: 33, te: 52, si: 14 };
const BONDS = {
  "-": b => b.order === 1 && !b.aromatic, "=": b => b.order === 2 && !b.aromatic, "#": b => b.order === 3, ":": b => b.aromatic,
  "~": () => true, "@": b => b.ring, "/": b => b.order === 1 && !b.aromatic, "\\": b => b.order === 1 && !b.aromatic,
};

function graph({ sdf, aromatic, rings }) { // heavy atoms with what SMARTS asks of them; null without a record
  const mol = sdf ? molecule(sdf) : null;
  if (!mol) return null;
  const atoms = mol.atoms.map(([symbol, , , , charge]) =>
    ({ z: NUMBER.get(symbol) ?? 0, charge, aromatic: false, h: 0, X: 0, v: 0, R: 0, r: 0, x: 0, bonds: [] }));
  const sides = new Set();
  for (const ring of rings) ring.forEach((i, k) => {
    const j = ring[(k + 1) % ring.length];
    atoms[i].R += 1;
    atoms[i].r = atoms[i].r ? Math.min(atoms[i].r, ring.length) : ring.length;
    sides.add(i < j ? `${i} ${j}` : `${j} ${i}`);
  });
  const marked = new Set(aromatic);
  mol.bonds.forEach(([i, j, order], k) => {
    const bond = { order, aromatic: marked.has(k), ring: sides.has(i < j ? `${i} ${j}` : `${j} ${i}`) };
    for (const [a, b] of [[i, j], [j, i]]) {
      atoms[a].X += 1;
      atoms[a].v += order;
      atoms[a].x += bond.ring;
      if (bond.aromatic) atoms[a].aromatic = true;
      if (atoms[b].z === 1) atoms[a].h += 1;
      else if (atoms[a].z !== 1) atoms[a].bonds.push([b, bond]);
    }
  });
  return atoms;
}

function parseSmarts(text) { // [{test, bonds: [[earlier atom, test]]}], or an error that says where
  let at = 0;
  const wrong = what => { throw new Error(`${what} at character ${at + 1} of the SMARTS`); };
  const take = pattern => { // the match of a sticky regular expression, or undefined
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at += found[0].length;
    return found?.[0];
  };
  const digits = fallback => { const found = take(/\d+/y); return found === undefined ? fallback : +found; };

  function primitive() {
    const start = at;
    if (text.startsWith("$(", at)) {
      let depth = 0, end = at + 1;
      do { depth += { "(": 1, ")": -1 }[text[end]] ?? 0; end += 1; } while (depth && end < text.length);
      if (depth) wrong("a $( that is not closed");
      const inner = parseSmarts(text.slice(at + 2, end - 1));
      at = end;
      return (atoms, i) => matches(inner, atoms, i);
    }
    if (take(/\*/y)) return () => true;
    if (take(/#/y)) { const z = digits() ?? wrong("# without a number"); return (a, i) => a[i].z === z; }
    if (take(/@+/y) || take(/:\d+/y)) return () => true;
    if (take(/[+-]+/y)) {
      const signs = text.slice(start, at), size = signs.length === 1 ? digits(1) : signs.length;
      const charge = signs[0] === "+" ? size : -size;
      return (a, i) => a[i].charge === charge;
    }
    const two = text.slice(at, at + 2), z = NUMBER.get(two);
    if (two.length === 2 && z !== undefined) { at += 2; return (a, i) => a[i].z === z && !a[i].aromatic; }
    if (two === "se" || two === "as" || two === "te" || two === "si") { at += 2; return (a, i) => a[i].z === AROMATIC[two] && a[i].aromatic; }
    const letter = text[at++];
    if (letter === "H") {
      if (text[start - 1] === "[" && /[\]+-]/.test(text[at])) return () => false; // a hydrogen atom
      const n = digits(1);
      return (a, i) => a[i].h === n;
    }
    const counted = { D: a => a.bonds.length, X: a => a.X, v: a => a.v, h: a => a.h }[letter];
    if (counted) { const n = digits(1); return (a, i) => counted(a[i]) === n; }
    if (letter === "R" || letter === "r" || letter === "x") {
      const n = digits();
      return n === undefined ? (a, i) => a[i].R > 0 : (a, i) => a[i][letter] === n;
    }
    if (letter === "A") return (a, i) => !a[i].aromatic;
    if (letter === "a") return (a, i) => a[i].aromatic;
    if (NUMBER.has(letter)) return (a, i) => a[i].z === NUMBER.get(letter) && !a[i].aromatic;
    if (letter in AROMATIC) return (a, i) => a[i].z === AROMATIC[letter] && a[i].aromatic;
    at = start;
    return wrong(`'${letter ?? "the end"}' is not understood`);
  }

  function logic(unit, ends) { // ; below , below & below !
    const not = () => { if (take(/!/y)) { const inner = not(); return (...x) => !inner(...x); } return unit(); };
    const list = (next, separator, join) => () => {
      const parts = [next()];
      while (!ends() && separator()) parts.push(next());
      return parts.length === 1 ? parts[0] : (...x) => parts[join](part => part(...x));
    };
    const and = list(not, () => take(/&/y) || !/[,;]/.test(text[at]), "every");
    return list(list(and, () => take(/,/y), "some"), () => take(/;/y), "every")();
  }

  function atom() {
    if (take(/\[/y)) {
      take(/\d+/y); // an isotope
      const test = logic(primitive, () => text[at] === "]" || at >= text.length);
      take(/\]/y) ?? wrong("a [ that is not closed");
      return test;
    }
    const symbol = take(/Cl|Br|\*|[BCNOPSFIAbcnopsa]/y) ?? wrong(`'${text[at] ?? "the end"}' is not understood`);
    if (symbol === "*") return () => true;
    if (symbol === "A") return (a, i) => !a[i].aromatic;
    if (symbol === "a") return (a, i) => a[i].aromatic;
    const z = NUMBER.get(symbol) ?? AROMATIC[symbol], aromatic = symbol in AROMATIC;
    return (a, i) => a[i].z === z && a[i].aromatic === aromatic;
  }

  function bond() {
    if (!/[-=#:~@\/\\!]/.test(text[at] ?? "")) return null;
    return logic(() => BONDS[take(/[-=#:~@\/\\]/y) ?? wrong("a bond is not understood")], () => !/[-=#:~@\/\\!&,;]/.test(text[at] ?? ""));
  }

  const usual = b => b.aromatic || b.order === 1, pattern = [], open = new Map(), branches = [];
  let last = -1, next = null;
  while (at < text.length) {
    if (take(/\(/y)) { branches.push(last); continue; }
    if (take(/\)/y)) { last = branches.pop() ?? wrong("a ) too many"); continue; }
    if (take(/\./y)) { last = -1; continue; }
    next = bond();
    const closure = take(/%\d\d|\d/y);
    if (closure) {
      if (last < 0) wrong("a ring closure without an atom");
      const number = closure.replace("%", "");
      if (open.has(+number)) {
        const [other, test] = open.get(+number);
        pattern[last].bonds.push([other, next ?? test ?? usual]);
        open.delete(+number);
      } else open.set(+number, [last, next]);
      continue;
    }
    const test = atom();
    pattern.push({ test, bonds: last < 0 ? [] : [[last, next ?? usual]] });
    last = pattern.length - 1;
  }
  if (open.size) wrong("a ring that is not closed");
  if (branches.length) wrong("a ( that is not closed");
  if (!pattern.length) wrong("nothing");
  return pattern;
}

function matches(pattern, atoms, first) { // whether the pattern is in the graph; its first atom at `first`, if given
  const image = [];
  const place = k => {
    if (k === pattern.length) return true;
    const { test, bonds } = pattern[k];
    const candidates = k === 0 && first !== undefined ? [first] : bonds.length ? atoms[image[bonds[0][0]]].bonds.map(b => b[0]) : atoms.keys();
    for (const i of candidates) {
      if (atoms[i].z === 1 || image.includes(i) || !test(atoms, i)) continue;
      const bonded = bonds.every(([j, allows]) => { const found = atoms[i].bonds.find(b => b[0] === image[j]); return found && allows(found[1]); });
      if (!bonded) continue;
      image.push(i);
      if (place(k + 1)) return true;
      image.pop();
    }
    return false;
  };
  return place(0);
}
