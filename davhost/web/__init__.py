"""The web pages: what a browser shows at the same URL that programs mount.

Flask renders pages and checks forms; what pages do with files they ask of
WebDAV, on the same server and behind the same rules, with the session instead
of a password. One module for each topic, its blueprint and forms in it, its
templates beside it::

    Browsers (dav) ─► make_pages ─► signing_in   sign in, sign out
                      safety        joining      sign up
                      context       resetting    a new password by mail
                      options       account      password, sessions, leaving
                                    two_step     codes after the password
                                    devices      app passwords and mount kits
                                    invitations  who may sign up
                                    users        accounts, for administrators
                                    refused      what was refused, and asking for it
                                    activity     what happened, in words
                                    locks        what is locked, and breaking it
                                    storage      who holds how much, and since when
                                    health       how the server is doing
                                    files        the page of a collection
                                    changing     what it does without scripts
                                    uploading    files in a form, as they arrive
                                    zips         a folder as one file
                                    thumbnails   small pictures of pictures
                                    trash        what was deleted, what was before
                                    assets       style and scripts

Nothing here decides what is allowed: accounts and trees do, and raise.
"""

from __future__ import annotations

from .app import make_pages
from .options import PageOptions
from .vitals import Vitals

__all__ = ["PageOptions", "Vitals", "make_pages"]
