"""Everything a server can be told, checked before anything starts.

`table` holds the settings, `sources` reads them from the configuration file,
the environment and the command line. Nothing here opens a database, a socket
or a data folder.
"""

from davhost.settings.sources import BadSettings, Configuration, load
from davhost.settings.table import Settings

__all__ = ["BadSettings", "Configuration", "Settings", "load"]
