"""What would happen to a name in a space, rule by rule, in words.

The answer is the policy's own: nothing here decides, and whatever `names` and
`policy` learn is explained without a change here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import names
from .contents import TYPES
from .errors import Refused
from .model import Kind, Rules
from .names import NameClass
from .paths import DavPath, Name
from .policy import Policy

_TEMPORARY = (
    "Kept as a temporary file: it can be read, renamed and locked, is not counted as a file, "
    "and is removed some time after its last use."
)

_INVALID = "a name that no client could use"

#: In the order in which they are asked.
_FILE_RULES = (
    _INVALID,
    "a mark that programs put beside files",
    "a file type on the allowed list: {rules}",
    "a temporary name of a saving program",
    "an allowed name with a temporary ending",
    "anything else",
)

_RULE_OF_CLASS = {
    NameClass.INVALID: 0,
    NameClass.FILE: 2,
    NameClass.DERIVED: 4,
    NameClass.FORBIDDEN: 5,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One rule, and whether it is the one that holds.

    Args:
        rule: "a mark that programs put beside files".
        reason: why it holds; empty when it does not.
    """

    rule: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would happen, and the rules that were asked until one held.

    Args:
        kind: what the name would make; None when it is refused.
        outcome: a sentence or two.
    """

    steps: tuple[Step, ...]
    kind: Kind | None
    outcome: str


def explain_file(path: DavPath, rules: Rules, policy: Policy) -> Explanation:
    """Explain what would become of a file that is made at *path*."""
    steps = tuple(_file_steps(path, rules))
    try:
        kind = policy.kind_of(path, rules)
    except Refused as refused:
        return Explanation(steps, None, _refusal(refused))
    if kind is Kind.SCRATCH:
        return Explanation(steps, kind, _TEMPORARY)
    return Explanation(steps, kind, f"Kept as a file.{_content(path.name, rules, policy)}")


def explain_collection(path: DavPath, rules: Rules, policy: Policy) -> Explanation:
    """Explain what would become of a collection that is made at *path*."""
    try:
        policy.judge_collection(path)
    except Refused as refused:
        return Explanation((Step(_INVALID, refused.phrase),), None, _refusal(refused))
    invalid, saving = Step(_INVALID), "a folder that programs make only to save in"
    if rules.extensions is not None and names.in_temporary_folder(path.child(Name("file"))):
        steps: tuple[Step, ...] = (invalid, Step(saving, "it, or a folder above it, is called so"))
        outcome = "Kept as a folder; the files in it are temporary files."
    else:
        steps = (invalid, Step(saving), Step("anything else", "folders have any name they like"))
        outcome = "Kept as a folder; the allowed list is about files."
    return Explanation(steps, Kind.COLLECTION, outcome)


def _file_steps(path: DavPath, rules: Rules) -> Iterator[Step]:
    """List the rules in the order of `names.classify`, down to the one that holds."""
    verdict = names.classify(path.name, rules)
    deciding = _deciding(path.name, verdict.name_class)
    for number, rule in enumerate(_FILE_RULES):
        text = rule.format(rules=rules)
        if number == deciding:
            yield Step(text, verdict.reason)
            break
        yield Step(text)
    if verdict.name_class is NameClass.FILE and rules.extensions is not None:
        saving = names.in_temporary_folder(path)
        yield Step(
            "in a folder that programs make only to save in",
            "a folder above it is called so" if saving else "",
        )


def _deciding(name: Name, name_class: NameClass) -> int:
    """Say which of `_FILE_RULES` put *name* into its class."""
    if name_class in _RULE_OF_CLASS:
        return _RULE_OF_CLASS[name_class]
    return 1 if any(mark.regex.fullmatch(name.casefold()) for mark in names.MARKS) else 3


def _content(name: Name, rules: Rules, policy: Policy) -> str:
    """Say what the content must be, as far as anything is checked."""
    file_type = TYPES.get(name.extension)
    if file_type is None or rules.extensions is None:
        return ""
    fits = f" Its content must be {file_type.label}, or empty." * policy.contents.fits_type
    refuses_macros = file_type.finds_macros and not policy.contents.macros_allowed
    return fits + " It must not hold macros." * refuses_macros


def _refusal(refused: Refused) -> str:
    return f"Refused with {refused.status}. {refused.sentence}"
