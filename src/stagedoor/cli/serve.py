"""`stagedoor serve`: run the server."""

from __future__ import annotations

from pathlib import Path

import click

from .options import bootstrap, home, server_parts

PORT = 8181


@click.command("serve")
@home
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--tls-cert", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Certificate chain, PEM."
)
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its private key, PEM.")
@click.option(
    "--tls-self-signed", is_flag=True, help="Make a certificate once, keep it in the home, print its fingerprint."
)
@click.option("--behind-proxy", is_flag=True, help="Plain HTTP: a proxy in front does TLS and names the client.")
@click.option("--log-format", type=click.Choice(("text", "json")), help="How the log is written; else as set, or text.")
@click.option("--access-log/--no-access-log", default=None, help="A line in the log for every request.")
@click.option("--insecure", is_flag=True, help="Plain HTTP for everybody: keys and files can be read on the way.")
def command(
    home: Path,
    host: str,
    port: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_self_signed: bool,
    behind_proxy: bool,
    insecure: bool,
    log_format: str | None,
    access_log: bool | None,
) -> None:
    """Run the server until it is told to stop (SIGTERM, Ctrl-C).

    Without TLS it listens on this machine only, unless --behind-proxy or --insecure is given.
    """
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together.")
    if tls_cert and tls_self_signed:
        raise click.UsageError("Give either a certificate (--tls-cert, --tls-key) or --tls-self-signed.")
    if behind_proxy and insecure:
        raise click.UsageError("Give either --behind-proxy or --insecure.")
    with server_parts():
        bootstrap().serve(
            home,
            host,
            port,
            tls_cert=tls_cert,
            tls_key=tls_key,
            self_signed=tls_self_signed,
            behind_proxy=behind_proxy,
            insecure=insecure,
            log_format=log_format,
            access_log=access_log,
        )
