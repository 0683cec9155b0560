"""Random SDF records for tests: titles and data items that the format can hold, however odd."""

from hypothesis import strategies as st
from rdkit import Chem

_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")
_ODD = (">10000", "> <old>", ">  <log_likelihood_nats_per_atom>", ">", " ", "\t", "  x ", "$$$", "a < b > c", "M  END")
_ODD += (
    "=1+1",
    "\u2028",
    "\x0b\x0c",
    "\x85",
    "\xa0",
    "a\rb",
    "\x00",
    "\ufffd",
    "-5",
    "µ é 分子 🧪",
    "M  V30 END",
    "V2000",
)

lines = (st.sampled_from(_ODD) | st.text(_CHARACTERS, max_size=12)).filter(lambda line: not line.startswith("$$$$"))
values = st.just("") | st.lists(lines.filter(bool), min_size=1, max_size=4).map("\n".join)
titles = lines
names = st.sampled_from(
    ["old", "a b", " a ", "µM", "IC50 (nM)", "x.y", "SMILES", "method", "molscore_index"]
) | st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<>"), min_size=1, max_size=6).filter(
    lambda name: not name.startswith("_")
)
headers = names.flatmap(lambda name: st.sampled_from([f">  <{name}>", f"> <{name}>  (3)", f"> 25 <{name}> DT12"]))
items = st.tuples(headers, values).map(lambda item: f"{item[0]}\n{item[1]}\n\n")


def record(block: str, title: str, data: list[str]) -> str:
    """The text of a record, without ``$$$$``: a mol block under another title, and data items."""
    return f"{title}\n{block.partition(chr(10))[2]}{''.join(data)}"


def records(block: str) -> st.SearchStrategy[str]:
    """Random records of one molecule."""
    return st.builds(record, st.just(block), titles, st.lists(items, max_size=4))


def seen_by_rdkit(text: str) -> tuple[str, dict[str, str]]:
    """Title and properties of a record, in order, as RDKit's own reader sees them."""
    supplier = Chem.SDMolSupplier()
    supplier.SetData(f"{text}$$$$\n", removeHs=False, sanitize=False)
    mol = next(iter(supplier))
    return mol.GetProp("_Name"), {name: mol.GetProp(name) for name in mol.GetPropNames()}
