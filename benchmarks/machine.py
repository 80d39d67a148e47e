"""Where and when a measurement was made."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path


def about() -> dict[str, str]:
    """Name the date and the machine."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": f"{model}, {os.cpu_count()} cores, {memory_bytes / (1 << 30):.0f} GiB",
        "system": f"Linux {platform.release()}, Python {platform.python_version()}",
    }
