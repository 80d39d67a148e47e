"""nginx with its DAV module and the one that adds PROPFIND and LOCK."""

import os
from pathlib import Path

from benchmarks.programs import find, output_of
from benchmarks.servers.apache import sha1
from benchmarks.servers.base import Server

_MODULE = Path("/usr/lib/nginx/modules/ngx_http_dav_ext_module.so")

_CONFIGURATION = """\
load_module {module};
{user}
worker_processes auto;
daemon off;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 4096; }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 10000000;
    client_max_body_size 0;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    dav_ext_lock_zone zone=locks:10m;
    server {{
        listen 127.0.0.1:{port};
        root {root};
        auth_basic benchmark;
        auth_basic_user_file {home}/passwords;
        dav_methods PUT DELETE MKCOL COPY MOVE;
        dav_ext_methods PROPFIND OPTIONS LOCK UNLOCK;
        dav_ext_lock zone=locks;
    }}
}}
"""


class Nginx(Server):
    """nginx with one worker for each core and a password that costs nothing."""

    def version(self) -> str:
        """Name its version."""
        return output_of(find("nginx"), "-v").partition(": ")[2]

    def command(self) -> list[str]:
        """Write the configuration; serve in the foreground."""
        line = f"{self.address.user}:{sha1(self.address.password)}\n"
        (self.home / "passwords").write_text(line)
        path = self.home / "nginx.conf"
        path.write_text(
            _CONFIGURATION.format(
                module=_MODULE,
                user="user root;" if os.geteuid() == 0 else "",
                home=self.home,
                port=self.address.port,
                root=self.root,
            )
        )
        return [find("nginx"), "-c", str(path), "-p", str(self.home)]
