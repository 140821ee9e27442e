"""The HTTP door: REST with OpenAPI. The only place that is asynchronous, and the only one that knows status codes.

1. `app`         the routes put together
2. `asking`      what handlers know of a request
3. `gate`        around every request: its id, who asks, bodies unpacked, refusals in one shape
4. `status`      which refusal has which HTTP status
5. `threads`     where blocking work is done
6. `publishing`  offers, jobs, receipts
7. `uploads`     parts
8. `reuse`       files that the studio has already
9. `house`       workspace, users, keys, volumes, hooks
10. `studio`      queues, settings
11. `hooks`       hooks and their runs
12. `log`         the audit log
13. `document`    the OpenAPI document
14. `head`        the head of a request, as far as the fast lane knows it
15. `front`       takes connections; keeps those that bring parts, passes the others on
16. `lane`        parts, in the thread of their connection
17. `server`      front and HTTP server, started and ended
18. `certificate` the self-signed certificate
19. `counting`    every request that was answered
20. `metrics`     what the server does and how it fares
21. `pages`       the files of the pages, which need nobody
22. `who`         who asks: by key, or by the cookie of a page
23. `signin`      signing in and out, sessions, invitations
24. `events`      what changes, as it happens
25. `doctor`      whether all is well

Rules
1. Everything but `/healthz`, the pages and what signs in needs a user name and an API key (HTTP Basic), or the cookie
   of a page that has signed in; `/metrics` does as it is set.
2. Handlers decode, hand work to threads and encode; they decide nothing but who may call.
"""
