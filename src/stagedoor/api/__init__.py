"""The HTTP door: REST with OpenAPI. The only place that is asynchronous, and the only one that knows status codes.

1. `app`         the routes put together
2. `asking`      what handlers know of a request
3. `gate`        around every request: its id, who asks, bodies unpacked, refusals in one shape
4. `status`      which refusal has which HTTP status
5. `threads`     where blocking work is done
6. `publishing`  offers, jobs, receipts
7. `uploads`     parts
8. `house`       users, keys, volumes, hooks, settings
9. `document`    the OpenAPI document
10. `server`     the HTTP server
11. `certificate` certificates: the self-signed one, and what any says about itself
12. `counting`   every request that was answered
13. `metrics`    what the server does and how it fares

Rules
1. Everything but `/healthz` needs a user name and an API key (HTTP Basic); `/metrics` does as it is set.
2. Handlers decode, hand work to threads and encode; they decide nothing but who may call.
"""
