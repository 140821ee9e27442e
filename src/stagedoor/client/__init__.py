"""THE OTHER SIDE: what runs on the machine of who publishes.

1. `scan`         files and folders of this machine as entries of an offer
2. `route`        where the server is, how it proves who it is, through which proxy
3. `connection`   one server, reached over HTTP; its refusals as exceptions
4. `unreachable`  why a server does not answer
5. `errors`       what can go wrong on this side
6. `merge`        the caller's own entries with the studio's verdicts
7. `query`        `Job WHERE status=failed` as an entity type and an expression (`filters`: what is sent of it)
8. `entities`     what can be found, made, changed and deleted
9. `parts`        which bytes go into the next part
10. `source`      the bytes, as they are on this disk now (`body`: those of a part on their way out)
11. `growth`      how many connections help
12. `limit`       how fast it may go
13. `pipe`        one connection that carries parts (`courier`: the thread that keeps it busy)
14. `line`        several of them sending the parts of a job
15. `reuse`       what the studio has already is named, not sent
16. `progress`    how far an upload is
17. `sender`      a job's upload from beginning to end
18. `given`       what a script hands over, made into what travels
19. `session`     the scripting face of all that
20. `receipt`     what was proved, compared with this disk and with the studio's key

Imports only `wire`, `model` and `bulk`; runs on Python 3.10 and later, on Linux, macOS and Windows.
"""
