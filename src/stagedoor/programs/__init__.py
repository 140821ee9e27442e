"""Running the studio's programs.

1. `processes`  which processes belong to a run, and ending them
2. `capture`    what a program says, bounded
3. `person`     another system user, as whom a hook runs
4. `record`     the folder of a run: what it reads and writes, and what is kept of it
5. `runner`     a run from start to end
6. `rehearsal`  a hook tried out without a server; `places`, where no volumes are known
7. `examine`    whether a line could run here
8. `environment` what a hook finds in its environment
9. `script`     a script on this machine: the line that runs it, and which hook it is
"""

from .runner import ProgramRunner

__all__ = ["ProgramRunner"]
