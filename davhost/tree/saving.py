"""How a document stays itself, whatever way a program saves it.

Programs rename the document away or delete it, and put another file in its
place. Here is found which file that was, so that its identity goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto

from .. import names
from ..catalogue import Place, Reading
from ..changes import Change, Resume, Succeed, WriteContent
from ..errors import BadName, NameRefused, NotFound
from ..model import Kind, Resource, Rules
from ..paths import DavPath
from ..policy import Policy


class Left(Flag):
    """How a file left its place, from which its identity may go on there."""

    #: Renamed to a temporary's name; until housekeeping puts it back.
    AWAY = auto()
    #: Deleted a moment ago.
    DEPARTED = auto()
    #: Renamed to an ordinary name a moment ago: a backup.
    RENAMED = auto()


NO_WAY = Left(0)
ANY_WAY = Left.AWAY | Left.DEPARTED | Left.RENAMED


@dataclass(slots=True)
class Saving:
    """Finds the file whose identity goes on, in what one transaction sees.

    Args:
        moment_us: since when a file that left its name can still come back
            under it as the same file.
    """

    reading: Reading
    policy: Policy
    rules: Rules
    moment_us: int

    def promote(
        self,
        source: Resource,
        path: DavPath,
        place: Place,
        ways: Left,
    ) -> list[Change]:
        """Let the file at *path*, or one that left it, take *source*'s content.

        Args:
            ways: how it may have left.

        Returns:
            Nothing when there is no such file: then *source* becomes it.
        """
        target = place.target
        if not ways or (target is not None and target.is_collection):
            return []
        resume = self.resume(path, place, ways) if target is None else None
        file = target if resume is None else resume.resource
        if file is None or file.id == source.id:
            return []  # there is none, or it is itself
        # Of an ordinary name only a file that came a moment ago is the new content of
        # another, and only of an older one.
        if ways != ANY_WAY and not (file.id < source.id and self._is_new(source)):
            return []
        write = WriteContent(path, file, source.size_bytes, source)
        return [write] if resume is None else [resume, write]

    def resume(self, path: DavPath, place: Place, ways: Left) -> Resume | None:
        """Find the file whose identity goes on at *path*, where nothing is now."""
        parent = place.parent
        if not ways or parent is None:
            return None
        for absent in self.reading.find_absent(parent, path.name) if place.has_absent else ():
            is_recent = absent.touched_us >= self.moment_us
            at = self.reading.path_of(absent)
            if at is None:
                if is_recent and Left.DEPARTED in ways:
                    return Resume(path, parent, absent, leaves=None)
            elif Left.AWAY in ways and (is_recent or self.rules.extensions is not None):
                return Resume(path, parent, absent, leaves=self.kind_at(at))
        return self._resume_renamed(path, parent) if Left.RENAMED in ways else None

    def _resume_renamed(self, path: DavPath, parent: Resource) -> Resume | None:
        for id_ in self.reading.renamed_from(path, self.moment_us):
            try:
                renamed = self.reading.get_by_id(id_)
            except NotFound:
                continue
            place = self.reading.path_of(renamed)
            if renamed.kind is Kind.FILE and place is not None:
                return Resume(path, parent, renamed, leaves=self.kind_at(place))
        return None

    def succeed(self, path: DavPath, target: Resource) -> Succeed | None:
        """See whether *target* was renamed to make room for a new file, and now goes."""
        if target.kind is not Kind.FILE or target.touched_us == target.created_us:
            return None  # a file that nothing has touched since it came was not renamed
        heir_path = self.reading.renamed_to_here_from(target.id, self.moment_us)
        heir = self.reading.find(heir_path) if heir_path is not None else None
        if heir is None or heir_path is None or heir.id <= target.id or not self._is_new(heir):
            return None
        return Succeed(path, target, heir_path, heir)

    def is_temporary(self, path: DavPath, source: Resource) -> bool:
        """Whether *source* at *path* is there only while a program saves."""
        return source.kind is Kind.SCRATCH or names.is_temporary(path, self.rules)

    def _is_new(self, file: Resource) -> bool:
        """Whether a file came a moment ago and has no past of its own to keep."""
        return (
            file.kind is Kind.FILE
            and file.created_us >= self.moment_us
            and not self.reading.versions(file)
            and not self.reading.properties(file)
        )

    def ways(self, path: DavPath, source: Resource) -> Left:
        """Say whose identity *source* takes on when it is moved to a file's name.

        A temporary's name says that this is the last step of saving. A program
        may also have written a file of an ordinary name a moment ago, and now
        puts it in the document's place; whether it did is for `promote` to see. A
        document that was put aside only moves: it is itself.
        """
        if source.kind is Kind.SCRATCH:
            return ANY_WAY
        if names.is_temporary(path, self.rules):
            return ANY_WAY if self.reading.home_of(source) is None else NO_WAY
        came_now = source.kind is Kind.FILE and source.created_us >= self.moment_us
        return Left.AWAY | Left.DEPARTED if came_now else NO_WAY

    def kind_at(self, path: DavPath) -> Kind:
        """The kind of what is at *path* already, whatever the rules are now."""
        try:
            return self.policy.kind_of(path, self.rules)
        except (BadName, NameRefused):
            return Kind.FILE
