"""Sets up logging: one line per record, with the time in UTC and the service's name."""

import logging
import sys
import time


def set_up_logging(service: str, level: str = "INFO") -> None:
    """Log to standard error. `level` is a name of the standard library, such as "DEBUG"."""
    formatter = logging.Formatter(
        f"%(asctime)s.%(msecs)03dZ {service} %(levelname)s %(name)s: %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
