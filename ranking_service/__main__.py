"""Runs the ranking service, one process for each device: `python -m ranking_service`."""

from ranking_service.parts import SERVICES, ranking_parts
from ranking_service.settings import Settings
from serving.server import run_server
from serving.settings import read_settings


def main() -> None:
    """Serve until told to stop."""
    settings = read_settings(Settings, "ranking")
    run_server(
        "ranking",
        host=settings.host,
        port=settings.port,
        services=SERVICES,
        parts=lambda server, health: ranking_parts(settings, server, health),
        reflection_on=settings.reflection,
        log_level=settings.log_level,
    )


if __name__ == "__main__":
    main()
