"""WHAT HAPPENS to a publish, one step a module, in order.

1. `offer`     the client offers; the pre-publish hook looks; verdicts, places and form are kept
2. `submit`    entries of the offer come back with answers and become a job
3. `receive`   parts arrive
4. `prove`     everything is read once and compared; the receipt is made
5. `place`     entries appear at their places, each at once
6. `ingest`    the publish hook runs

Beside the steps:

- `judge`      what a pre-publish hook answered, read with suspicion
- `presubmit`  the pre-submit hook: the studio's word on a job about to be made
- `jobhooks`   running a hook of a job
- `notify`     post-submit, post-failed, post-done
- `hookinput`  what hooks are given to read
- `echo`       what a submit sends back, compared with what was decided
- `failing`    what becomes of a job whose step failed
- `control`    abort, retry, pause, move, hold entries, withdraw
- `replaced`   what entries replaced, for a time
- `turns`      whose turn it is
- `reuse`      what the studio has already is copied, not sent
- `earlier`    what a user sent before, and where it may still lie
- `sweep`      what time alone brings about: expiry, retries, work that was cut
- `keeping`    what is kept for a time only, and how it is forgotten
- `read`       finding one, or a page of them
- `watching`   what changes on jobs, for those who look on
- `mhl`        a receipt as ASC MHL
- `views`      how offers and jobs are shown, and to whom
- `house`      how users, keys, volumes, hooks and settings are shown
- `manage`     users, keys, volumes, hooks
- `queues`     the lines in which jobs wait
- `levels`     settings and metadata, on whatever they are set
- `signin`     by password, link or passkey
- `inviting`   invitations, made and redeemed
- `sessions`   browsers that are signed in
- `passwords`, `passkeys`: what users set about signing in
- `slowing`    guessing is slowed
- `tickets`    what the server must know again, kept by the browser
- `replay`     today's script on what earlier runs had read
- `trial`      a line that is not set yet, on the same
- `hookline`   what is set as a hook, judged
- `grammar`    the query language, read
- `wanted`     which items of a list are asked for
- `compare`    what a comparison asks of a value
- `shelf`      short lists, filtered and cut into pages
- `lately`     answers that may be a moment old
- `tally`      what this process has done since it started, counted
- `about`      which request, user and job the work under way is about
- `acting`     who acts right now
- `refusals`   offers and submits that were refused, for the audit log
- `auditing`   the audit log, for who may read it
- `needs`      what the steps ask of the world, as narrow Protocols
"""
