"""WebDAV at the edge: requests are parsed here, asked of the tree, and rendered.

The only package that imports WsgiDAV. WsgiDAV brings configuration, the stack
of middleware, providers and the domain controller; the handlers of methods are
davhost's own, because nearly every stock one answers some client wrongly::

    DavApp ─► Front ─► BasicAuthenticator ─► Resolver ─► DavRequests ─► handler
              target   AccountsController    HomeProvider  dispatch     tree
              faults
              access log

Nothing here decides what is allowed: `davhost.tree` does, and raises.
"""
