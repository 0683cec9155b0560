"""Models one below the other, as in PDB and PDBQT; a single one without ``MODEL`` lines, as programs expect it."""

from molscore.chem.io.writers.base import RecordWriter


class ModelWriter(RecordWriter):
    """Writes a model for each record."""

    held = ""
    """The first model, until there is a second, or no more."""

    def model(self, text: str, before: str = "") -> None:
        """Writes a model.

        Args:
            text: its lines.
            before: lines that follow the models before it.
        """
        if not self.count:
            self.held = text
            return
        if self.count == 1:
            self.put(_numbered(1, self.held))
        self.put(before + _numbered(self.count + 1, text))

    def finish(self) -> None:
        """As `RecordWriter.finish`."""
        if self.count == 1:
            self.put(self.held)

    def put(self, text: str) -> None:
        """Writes lines."""
        self.file.write(text.encode())


def _numbered(number: int, text: str) -> str:
    return f"MODEL     {number:4}\n{text}ENDMDL\n"
