"""``python -m molscore.train ...`` is ``molscore train ...``, under a name for what starts several processes.

* ``accelerate launch -m molscore.train CONFIG.yaml [key=value ...]`` (on CPUs with ``--multi_gpu --num_processes 2``)
* ``torchrun --nproc-per-node 2 -m molscore.train CONFIG.yaml [key=value ...]``
"""

import runpy
import sys

sys.argv.insert(1, "train")
runpy.run_module("molscore", run_name="__main__", alter_sys=True)
