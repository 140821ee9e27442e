"""THE OTHER SIDE: what runs on the machine of who publishes.

1. `scan`         files and folders of this machine as entries of an offer
2. `connection`   one server, reached over HTTP; its refusals as exceptions
3. `merge`        the caller's own entries with the studio's verdicts
4. `query`        `Job WHERE status=failed` as an entity type and an expression (`filters`: what is sent of it)
5. `parts`        which bytes go into the next part
6. `source`       the bytes, as they are on this disk now
7. `growth`       how many connections help
8. `limit`        how fast it may go
9. `pipe`         one connection that carries parts
10. `line`        several of them sending the parts of a job
11. `reuse`       what the studio has already is named, not sent
12. `sender`      a job's upload from beginning to end
13. `given`       what a script hands over, made into what travels
14. `session`     the scripting face of all that
15. `receipt`     what was proved, compared with this disk and with the studio's key

Imports only `wire` and `model`; runs on Python 3.10 and later, on Linux, macOS and Windows.
"""
