"""WHAT a publish is, as values that cannot be wrong. Standard library only: no clock, disk, net or threads.

1. `errors`     every way to say no
2. `names`      which names may travel, and their one spelling
3. `manifest`   everything in one entry: folders and files, relative paths, sizes, times
4. `tape`       the files laid end to end: byte ranges, what is missing, which file a byte lies in
5. `notation`   the ways to write a place: `volume=projects/sq010`, `/Volumes/projects/sq010`
6. `verdict`    what a hook said about an entry
7. `form`       what the user must fill in, and whether the answers do
8. `hooks`      names and spellings of hooks
9. `states`     jobs, tasks, offers: states as tables
10. `entities`  the records that all other parts speak of
11. `query`     what may be asked of a list
12. `settings`  every setting, its default and its reason
13. `likeness`  which names are alike
14. `pace`      a limit on speed
15. `audit`     lines of the audit log, and what may stand in them
16. `metadata`  pairs of text on people and things
17. `signin`    what opens the door for a person
18. `slice`     which items of a list somebody wants
"""
