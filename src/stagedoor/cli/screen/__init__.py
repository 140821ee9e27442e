"""HOW THINGS ARE SHOWN: nothing in here speaks to a server.

1. `numbers`     sizes, times and counts as people say them
2. `page`        where words go: the result, the notes beside it, one JSON object for scripts
3. `sequences`   hundreds of frames in one line, gaps named
4. `guidelines`  a studio's HTML as readable plain text
5. `verdicts`    what the studio said about each entry
6. `answers`     what the user must fill in: from options, from a file, by asking
7. `bar`         how far a transfer is
8. `jobs`        jobs and their entries
9. `runs`        hook runs
10. `replays`    what today's script would say otherwise
11. `log`        the audit log: its lines, or refusals summed up

Whatever came from outside is escaped by `model.names.printable`, and never read as markup.
"""
