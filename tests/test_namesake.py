"""The other project called molscore: the first import says if it is installed beside this one."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from molscore import namesake
from molscore.versions import DISTRIBUTION

PACKAGE = Path(namesake.__file__).parents[1]


def installed(folder, author, version="1.9.5"):
    """A wheel called molscore, built by hand and installed by pip."""
    wheel = folder / f"molscore-{version}-py3-none-any.whl"
    about = f"molscore-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("molscore_other.py", "")
        for name, text in {
            "METADATA": f"Metadata-Version: 2.1\nName: molscore\nVersion: {version}\nAuthor: {author}\n",
            "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "RECORD": f"molscore_other.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n",
        }.items():
            file.writestr(f"{about}/{name}", text)
    site = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site, wheel]
    subprocess.run(pip, check=True, capture_output=True)
    return site


def imported(site, code="import molscore, molscore.cli"):
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(PACKAGE)!r}, {str(site)!r}]; {code}"]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=site, timeout=60).stderr


def test_the_first_import_names_both_and_says_what_to_do(tmp_path):
    site = installed(tmp_path, "someone else")
    for said in (imported(site), imported(site, "from molscore.cli import app; app(['models'])")):
        assert said.count("NamesakeWarning") == 1
        assert "molscore (1.9.5)" in said and DISTRIBUTION in said and "pip uninstall -y molscore" in said


def test_workers_leave_it_to_the_process_that_started_them(tmp_path):
    site = installed(tmp_path, "someone else")
    code = (
        "import molscore, multiprocessing as m; "
        "from molscore.limits import check; "
        "[m.get_context(how).Pool(1).apply(check, ('seed', 1)) for how in ('spawn', 'forkserver')]"
    )
    assert imported(site, code).count("NamesakeWarning") == 1


def test_this_project_under_its_former_name_is_no_other(tmp_path):
    assert imported(installed(tmp_path, namesake.OURS)) == ""


@pytest.mark.parametrize("name", ["molscore_tools-1.dist-info", "molscore3d-0.2.0.dist-info", "molscore", "molscore-x"])
def test_other_names_are_passed_over(name, tmp_path):
    (tmp_path / name).mkdir()
    assert namesake.version_of_other([str(tmp_path), str(tmp_path / "none"), ""]) is None


def test_an_egg_counts(tmp_path):
    (tmp_path / "molscore-1.4-py3.11.egg-info").mkdir()
    assert namesake.version_of_other([str(tmp_path)]) == "1.4"
