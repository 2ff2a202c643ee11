"""The command `tandem` beside what runs in the tests' own process."""

import asyncio
import subprocess
import sys


async def tandem(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command while this loop goes on, whatever its status."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tandem_cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
