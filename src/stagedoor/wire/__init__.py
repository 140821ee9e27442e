"""WHAT TRAVELS between client and server: one frozen type per request and answer, one table of calls.

1. `tree`      files and folders as they are offered
2. `offers`    offer and verdicts
3. `jobs`      submit, jobs, tasks, receipts
4. `signing`   the signature of a receipt, and what it is over
5. `parts`     the headers of a part, the state of an upload
6. `reuse`     files that the studio may have already
7. `house`     workspace, users, keys, volumes, hooks, settings: what the studio manages
8. `signin`    invitations, passwords, passkeys, sessions
9. `log`       the audit log
10. `replays`   today's script on what earlier runs had read, and one that is not set yet
11. `hookdata`  what a hook reads and writes
12. `calls`     every call: method, path, what goes in, what comes out

Unknown keys are ignored. Times are RFC 3339 in UTC, except `modified` of files: integer milliseconds since 1970.
"""
