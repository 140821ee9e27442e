"""`make bench`, or `.venv/bin/python -m bench`: how fast Stagedoor is beside what a studio would use otherwise.

    options     what can be asked for
    facts       the machine, which numbers depend on
    loads       what is sent
    place       where servers and clients run: loopback, or the two ends of an emulated line
    processes   servers, started and ended
    meter       one client process, measured
    memory      peaks of process trees
    ground      trees where files arrive
    contestant  what takes part: house (Stagedoor) and peers/, one module each
    contest     contestants in turns
    offers      a large offer and its limits
    crowd       answers while the line is full; memory with many uploads
    page        many files given to the publish page, in a browser
    wan/        a line that lags and loses: its emulator, its scenarios, a publish of what is mostly there already
    lists       lists and questions where there are 100,000 jobs
    filling     a database with a lot in it
    figures     medians, spreads, ratios
    targets     what is aimed at
    report      lines on the screen, results, the table in the docs

Rules
1. Contestants of a load take turns, so that what the machine does meanwhile hits all of them. The first turn of each
   is not counted.
2. What arrived is compared with what was sent, after every run: every byte at the warm-up, names and sizes later.
3. Trees are not removed between runs: ext4 without a journal makes new files slowly for minutes after that.
4. Everything listens on 127.0.0.1 or in a network namespace of its own, and is ended with the bench, however that ends.
"""

import sys
from pathlib import Path

# The studio that tests set up is the one that is measured.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
