"""Runs the gateway: `python -m gateway_service`."""

from gateway_service.parts import SERVICES, gateway_parts
from gateway_service.settings import Settings
from serving.server import run_server
from serving.settings import read_settings


def main() -> None:
    """Serve until told to stop."""
    settings = read_settings(Settings, "gateway")
    run_server(
        "gateway",
        host=settings.host,
        port=settings.port,
        services=SERVICES,
        parts=gateway_parts(settings),
        reflection_on=settings.reflection,
        max_in_flight=settings.max_in_flight,
        share_port=settings.share_port,
        log_level=settings.log_level,
    )


if __name__ == "__main__":
    main()
