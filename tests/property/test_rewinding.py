"""Whatever was done to a space since, rewinding puts it back to what it was."""

from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from davhost.errors import Refused
from davhost.paths import DavPath
from davhost.policy import ContentRules
from tests.instance import Home, Instance, make_instance

NAMES = ["a.txt", "b.txt", "c.pdf", "~WRD1.tmp", "a.txt~", "d", "e"]
TEMPORARY = ("~WRD1.tmp", "a.txt~")
FOLDERS = st.lists(st.sampled_from(["d", "e"]), max_size=2)
PATHS = st.builds(
    lambda folders, name: "/" + "/".join([*folders, name]), FOLDERS, st.sampled_from(NAMES)
)
STEPS = st.one_of(
    st.tuples(st.just("put"), PATHS, st.binary(min_size=1, max_size=8)),
    st.tuples(st.just("mkcol"), PATHS),
    st.tuples(st.just("delete"), PATHS),
    st.tuples(st.just("move"), PATHS, PATHS),
    st.tuples(st.just("copy"), PATHS, PATHS),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 1000.0])),
)


def do(instance: Instance, home: Home, steps: list[tuple[object, ...]]) -> None:
    """Take steps that may be refused."""
    for verb, *arguments in steps:
        if verb == "wait":
            instance.clock.pass_(*arguments)  # type: ignore[arg-type]
            continue
        with suppress(Refused):
            getattr(home, str(verb))(*arguments)


def documents(home: Home) -> dict[str, bytes | None]:
    """Read everything but the temporaries, whose content is kept by nobody."""
    listing = home.tree.listing(DavPath(), depth=None, dead=False, locks=False)
    return {
        entry.path.text: None if entry.resource.is_collection else home.get(entry.path.text)
        for entry in listing.entries
        if not entry.path.is_root and entry.path.name not in TEMPORARY
    }


def test_rewinding_puts_everything_back(tmp_path: Path) -> None:
    """Names and contents are those of the moment, and going back can be gone back on."""
    instance = make_instance(
        f"sqlite:///{tmp_path}/davhost.sqlite", tmp_path, contents=ContentRules(fits_type=False)
    )
    numbers = iter(range(10_000))

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(before=st.lists(STEPS, max_size=20), after=st.lists(STEPS, max_size=20))
    def check(before: list[tuple[object, ...]], after: list[tuple[object, ...]]) -> None:
        home = instance.home(f"user{next(numbers)}@example.org")
        do(instance, home, before)
        then, then_us = documents(home), instance.clock.now_us()
        instance.clock.pass_(1000)
        do(instance, home, after)
        instance.clock.pass_(1)
        spoilt, spoilt_us = documents(home), instance.clock.now_us()
        instance.clock.pass_(1)
        assert home.tree.rewind(then_us).lost == []
        assert documents(home) == then
        instance.clock.pass_(1)
        home.tree.rewind(spoilt_us)
        assert documents(home) == spoilt
        used = sum(map(len, filter(None, spoilt.values())))
        assert home.tree.space().used_bytes >= used

    try:
        check()
    finally:
        instance.catalogue.close()
