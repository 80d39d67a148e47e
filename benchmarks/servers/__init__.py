"""The servers that are measured, by the names of their columns."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.servers.apache import Apache, bcrypt, sha1
from benchmarks.servers.base import Server
from benchmarks.servers.copyparty import Copyparty
from benchmarks.servers.davhost import Davhost
from benchmarks.servers.lighttpd import Lighttpd
from benchmarks.servers.nginx import Nginx
from benchmarks.servers.rclone import Rclone
from benchmarks.servers.wsgidav import WsgiDav

#: Each makes its server for a folder of its own and a stock of files.
SERVERS: dict[str, Callable[[Path, Path], Server]] = {
    "davhost": partial(Davhost, durability="full"),
    "davhost-fast": partial(Davhost, durability="fast"),
    "wsgidav": WsgiDav,
    "apache-bcrypt10": partial(Apache, hash_password=bcrypt(10)),
    "apache-bcrypt5": partial(Apache, hash_password=bcrypt(5)),
    "apache-sha": partial(Apache, hash_password=sha1),
    "nginx": Nginx,
    "lighttpd": Lighttpd,
    "rclone": Rclone,
    "copyparty": Copyparty,
}
