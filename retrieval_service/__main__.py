"""Runs the retrieval service: `python -m retrieval_service`."""

from retrieval_service.parts import SERVICES, retrieval_parts
from retrieval_service.settings import settings_from_environment
from serving.server import run_server


def main() -> None:
    """Serve until told to stop."""
    settings = settings_from_environment()
    run_server(
        "retrieval",
        host=settings.host,
        port=settings.port,
        services=SERVICES,
        parts=retrieval_parts(settings),
        reflection_on=settings.reflection,
        max_in_flight=settings.max_in_flight,
        log_level=settings.log_level,
    )


if __name__ == "__main__":
    main()
