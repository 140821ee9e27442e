"""The HTTP door: REST with OpenAPI. The only place that is asynchronous, and the only one that knows status codes.

1. `app`          the routes put together
2. `gate`         around every request: its id, who asks, bodies unpacked, refusals in one shape
3. `status`       which refusal has which HTTP status
4. `threads`      where blocking work is done
5. `publishing`   offers, jobs, receipts
6. `uploads`      parts
7. `house`        users, keys, volumes, hooks, settings
8. `server`       the HTTP server
9. `certificate`  the self-signed certificate

Rules
1. Everything but `/healthz` needs a user name and an API key (HTTP Basic).
2. Handlers decode, hand work to threads and encode; they decide nothing but who may call.
"""
