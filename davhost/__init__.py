"""davhost: a WebDAV file server with accounts.

The layers, lowest first, and what each may import stand in
``tests/architecture/test_layers.py``; README.md says how to run it.
"""

__version__ = "0.1.0"
