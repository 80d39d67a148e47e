"""What real programs ask for when they list a collection.

Sources: recorded requests of davfs2 1.6 and rclone 1.60; published logs of
macOS's WebDAVFS; Windows' Mini-Redirector sends PROPFIND without a body, which
RFC 4918 section 9.1 makes the same as allprop.
"""

_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'

RCLONE = (
    _DECLARATION
    + b'<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"'
    + b' xmlns:nc="http://nextcloud.org/ns"><d:prop><d:displayname /><d:getlastmodified />'
    + b"<d:getcontentlength /><d:resourcetype /><d:getcontenttype /><oc:checksums />"
    + b"</d:prop></d:propfind>"
)
DAVFS2 = (
    _DECLARATION
    + b'<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/>'
    + b'<getetag/><executable xmlns="http://apache.org/dav/props/"/></prop></propfind>'
)
FINDER = (
    _DECLARATION
    + b'<D:propfind xmlns:D="DAV:"><D:prop><D:getlastmodified/><D:getcontentlength/>'
    + b"<D:creationdate/><D:resourcetype/><D:getetag/></D:prop></D:propfind>"
)
ALLPROP = _DECLARATION + b'<propfind xmlns="DAV:"><allprop/></propfind>'
WINDOWS = b""

#: The property sets by the name of the program that asks for them.
BODIES = {
    "davfs2": DAVFS2,
    "rclone": RCLONE,
    "finder": FINDER,
    "windows": WINDOWS,
    "allprop": ALLPROP,
}
