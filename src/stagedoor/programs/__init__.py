"""Running the studio's programs.

1. `processes`  which processes belong to a run, and ending them
2. `capture`    what a program says, bounded
3. `person`     another system user, as whom a hook runs
4. `record`     the folder of a run: what it reads and writes, and what is kept of it
5. `runner`     a run from start to end
6. `rehearsal`  a hook tried out without a server; `places`, where no volumes are known
7. `examine`    whether a line could run here
"""

from .runner import ProgramRunner

__all__ = ["ProgramRunner"]
