"""Which release a state directory's gateway served last."""

from pathlib import Path


def serving_release(database: Path) -> str | None:
    """Return the directory of the release that the pointer names, None if there is none yet."""
    if not database.exists():
        return None
    from sqlalchemy import create_engine

    from gateway_service.store.releases import read_pointer, release_uri

    engine = create_engine(f"sqlite:///file:{database.absolute()}?mode=ro&uri=true")
    try:
        with engine.connect() as connection:
            return release_uri(connection, read_pointer(connection).current)
    finally:
        engine.dispose()
