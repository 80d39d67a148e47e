"""The pages, through the whole WSGI application of this process."""
