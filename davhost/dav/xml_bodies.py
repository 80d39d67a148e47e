"""XML request bodies: bounded in size and depth, without DTD, entities or anything external.

Elements keep their prefixes, and know which namespaces and language are in
force around them, because a dead property is kept as the whole element that
came (RFC 4918 section 4.3). Comments and processing instructions mean nothing
and are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from ..errors import BadRequest, TooLarge
from .escaping import attribute, text

Meaning = TypeVar("Meaning")

ELEMENTS_MAX = 20_000

_LANGUAGE = "xml:lang"
_BRACES = re.compile("[{}]")
#: What may be a prefix, in a name, a value or a text. It is looked for only
#: where a word begins, or a long word would be read again from each letter.
_PREFIX = re.compile(r"(?<![^\s:<>&\"'/=])([^\s:<>&\"'/=]++):")


class Scope:
    """The prefixes in force: what is declared here, and what is outside.

    Linked, not copied: a thousand prefixes on the root would otherwise be
    copied for each of twenty thousand elements.
    """

    __slots__ = ("_declared", "_outer")

    def __init__(self, declared: Mapping[str, str], outer: Scope | None) -> None:
        self._declared = declared
        self._outer = outer

    def find(self, prefix: str) -> str | None:
        """Find the namespace of a prefix; None if nothing declares it."""
        scope: Scope | None = self
        while scope is not None:
            if prefix in scope._declared:
                return scope._declared[prefix]
            scope = scope._outer
        return None


_NO_SCOPE = Scope({}, None)


class Element:
    """One element of a request body.

    Attributes:
        name: Clark notation; without namespace, the bare local name.
        tag: the name as it was written, with its prefix.
        attributes: names as written, and values.
        declared: the prefixes and namespaces that it declares itself.
        content: text and elements in document order.
        scope: the prefixes in force.
        language: the xml:lang in force; empty for none.
    """

    __slots__ = ("attributes", "content", "declared", "language", "name", "scope", "tag")

    def __init__(
        self,
        name: str,
        tag: str,
        attributes: list[tuple[str, str]],
        declared: list[tuple[str, str]],
        parent: Element | None,
    ) -> None:
        self.name = name
        self.tag = tag
        self.attributes = attributes
        self.declared = declared
        self.content: list[Element | str] = []
        outer = _NO_SCOPE if parent is None else parent.scope
        self.scope: Scope = Scope(dict(declared), outer) if declared else outer
        inherited = "" if parent is None else parent.language
        self.language: str = next((v for k, v in attributes if k == _LANGUAGE), inherited)

    @property
    def members(self) -> Iterator[Element]:
        """The elements directly inside."""
        return (piece for piece in self.content if isinstance(piece, Element))

    def find(self, name: str) -> Element | None:
        """Find the first element directly inside that has *name*."""
        return next((member for member in self.members if member.name == name), None)

    @property
    def text(self) -> str:
        """The text directly inside, stripped."""
        return "".join(piece for piece in self.content if isinstance(piece, str)).strip()

    def whole(self) -> str:
        """Write the element so that it means the same on its own.

        It gets the namespaces that its names, values or text may refer to,
        and the language in force.
        """
        inner = "".join(_pieces(self))
        attributes = "".join(f' {name}="{attribute(value)}"' for name, value in self.attributes)
        used = f"{self.tag}{attributes}{inner}"
        prefixes = sorted({"", *_PREFIX.findall(used)})
        declarations = "".join(
            _declaration(prefix, uri) for prefix in prefixes if (uri := self.scope.find(prefix))
        )
        if self.language and not any(name == _LANGUAGE for name, _ in self.attributes):
            attributes += f' {_LANGUAGE}="{attribute(self.language)}"'
        return _element(self.tag, declarations + attributes, inner)


def parse(body: bytes, *, depth_max: int) -> Element:
    """Parse a whole body.

    Raises:
        BadRequest: not well formed, a DTD or entity, nested too deep, or too
            many elements.
    """
    builder = _Builder(depth_max)
    parser = DefusedXMLParser(target=builder, forbid_dtd=True)
    # The prefix matters inside the values of properties, so expat is told to
    # hand it over with each name.
    parser.parser.namespace_prefixes = True
    try:
        parser.feed(body)
        root = parser.close()
    except ParseError:
        raise BadRequest("The XML of the request is not well formed.") from None
    except DefusedXmlException:
        raise BadRequest("The XML of the request may not have a DTD or entities.") from None
    except (ValueError, LookupError):
        raise BadRequest("The XML of the request is in an unknown encoding.") from None
    if not isinstance(root, Element):
        raise BadRequest("The XML of the request has no element.")
    return root


class Remembered(Generic[Meaning]):
    """What short bodies mean; each program sends the same few again and again.

    What a body means must hang on nothing but its bytes. Safe for threads.

    Args:
        mean: reads the root of a body; what it raises is not kept.
        characters: counts how much there is in a meaning.
    """

    BODIES_MAX = 64
    CHARACTERS_MAX = 8192

    def __init__(
        self, mean: Callable[[Element], Meaning], characters: Callable[[Meaning], int]
    ) -> None:
        self._mean = mean
        self._characters = characters
        self._known: dict[tuple[bytes, int], Meaning] = {}

    def read(self, body: bytes, *, depth_max: int) -> Meaning:
        """Find out what *body* means.

        Raises:
            BadRequest, TooLarge: as `parse` does, and what *mean* raises.
        """
        meaning = self._known.get((body, depth_max))
        if meaning is None:
            meaning = self._mean(parse(body, depth_max=depth_max))
            if len(body) + self._characters(meaning) <= self.CHARACTERS_MAX:
                if len(self._known) >= self.BODIES_MAX:
                    self._known.clear()
                self._known[body, depth_max] = meaning
        return meaning

    def __len__(self) -> int:
        """Count what is kept."""
        return len(self._known)


class _Builder:
    """What the parser reports to; its method names are the parser's."""

    def __init__(self, depth_max: int) -> None:
        self._depth_max = depth_max
        self._open: list[Element] = []
        self._root: Element | None = None
        self._declared: list[tuple[str, str]] = []
        self._count = 0

    def start_ns(self, prefix: str, uri: str) -> None:
        if _BRACES.search(uri):
            raise BadRequest("A namespace of the request holds a brace.")
        self._declared.append((prefix, uri))

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        if len(self._open) >= self._depth_max:
            raise BadRequest(f"The XML of the request is deeper than {self._depth_max} elements.")
        if self._count > ELEMENTS_MAX:
            raise TooLarge(f"The XML of the request has more than {ELEMENTS_MAX} elements.")
        clark, tag = _names(name)
        written = [(_names(key)[1], value) for key, value in attributes.items()]
        parent = self._open[-1] if self._open else None
        element = Element(clark, tag, written, self._declared, parent)
        self._declared = []
        if parent is None:
            self._root = element
        else:
            parent.content.append(element)
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def data(self, piece: str) -> None:
        if self._open:
            self._open[-1].content.append(piece)

    def close(self) -> Element | None:
        return self._root


def _names(expanded: str) -> tuple[str, str]:
    """Split ``{uri}local}prefix`` into the Clark name and the name as written."""
    if not expanded.startswith("{"):
        return expanded, expanded
    uri, local, *prefix = expanded[1:].split("}")
    tag = f"{prefix[0]}:{local}" if prefix else local
    if uri == "http://www.w3.org/XML/1998/namespace":
        tag = f"xml:{local}"
    return f"{{{uri}}}{local}", tag


def _pieces(element: Element) -> Iterator[str]:
    for piece in element.content:
        if isinstance(piece, str):
            yield text(piece)
        else:
            attributes = "".join(_declaration(prefix, uri) for prefix, uri in piece.declared)
            attributes += "".join(f' {k}="{attribute(v)}"' for k, v in piece.attributes)
            yield _element(piece.tag, attributes, "".join(_pieces(piece)))


def _declaration(prefix: str, uri: str) -> str:
    name = f"xmlns:{prefix}" if prefix else "xmlns"
    return f' {name}="{attribute(uri)}"'


def _element(tag: str, attributes: str, inner: str) -> str:
    return f"<{tag}{attributes}>{inner}</{tag}>" if inner else f"<{tag}{attributes}/>"
