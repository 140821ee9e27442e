"""Staging and placing: how bytes come onto a disk and appear at their place.

1. `rename`    moving a thing to a name that must be free
2. `probe`     what a file system can do
3. `paths`     from a volume and a path to an open folder, never out of the volumes
4. `staging`   where uploads in progress lie, and the documents beside their bytes
5. `journal`   what was received, in one text file per upload
6. `history`   what the journal's records come to
7. `claims`    which ranges are being sent right now
8. `arrivals`  files that were read back as they were written
9. `part`      the bytes of one part on their way into files
10. `flushing`  bringing them to the device
11. `reading`    the tape from disk, compared with what was written
12. `following`  reading it while it arrives
13. `proof`      reading all that is left when it has arrived
14. `upload`     one upload: begin, acknowledge, flush, prove
15. `copying`    files that are here already, copied into an upload
16. `modes`      permissions, group and times of what is placed
17. `replacing`  changing places with what is there, and keeping that aside
18. `placing`    the last check and the rename
19. `leftovers`  what lies in staging that no job speaks of
20. `disk`       the door to all of it
"""

from .disk import Disk
from .paths import free

__all__ = ["Disk", "free"]
