"""Sites for the tests of this folder."""

from davhost.dav.origin import Authority, Site
from davhost.paths import DavPath

HERE = Site(authorities=(Authority("dav.example.org", ""),))
MOUNTED = Site(DavPath.of("office", "dav"), HERE.authorities)
