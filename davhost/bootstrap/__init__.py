"""The one place that knows all parts and puts them together.

`services` makes the parts from settings, `first_start` makes an instance out
of an empty folder, `wsgi` is what wsgidav.yaml names, and `serving` hands all
of it to the HTTP server. Nothing below imports this package.
"""
