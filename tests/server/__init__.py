"""The HTTP server from outside: real sockets, tiny applications."""
