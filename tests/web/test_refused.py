"""Refused files, asking for their type, and the answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from davhost.accounts.requests import askable
from davhost.bootstrap.services import Services
from davhost.bootstrap.wsgi import build_app
from davhost.model import Rules
from tests.web.browser import Browser, Wsgi
from tests.web.conftest import PASSWORD, running

BOSS, ADA, BOB = "boss@example.org", "ada@example.org", "bob@example.org"
QUEUE = "/-/admin/requests"


class World:
    """A server on which an administrator and two others have signed in."""

    def __init__(self, services: Services, app: Wsgi) -> None:
        self.accounts = services.accounts
        self.boss, self.ada, self.bob = (self._browser(app, email) for email in (BOSS, ADA, BOB))

    def _browser(self, app: Wsgi, email: str) -> Browser:
        self.accounts.register(email, PASSWORD, admin=email == BOSS)
        browser = Browser(app)
        assert browser.sign_in(email, PASSWORD).status_code == 303
        return browser

    def ask(self, browser: Browser, path: str) -> int:
        """Have a file refused, and ask for its type; return the status of asking."""
        assert browser.fetch("PUT", path, b"x").status_code == 403
        extension = path.rpartition(".")[2]
        return browser.submit("/-/refused/ask", "/-/refused", extension=extension).status_code

    def answer(self, answer: str, extension: str, email: str | None = None) -> int:
        """Answer a request, or all for a type."""
        fields = {"answer": answer, "extension": extension, "csrf_token": self.token(self.boss)}
        if email is not None:
            fields["user_id"] = str(self.accounts.get(email).id)
        url = f"{QUEUE}/answer"
        return self.boss.post(url, fields, Sec_Fetch_Site="same-origin").status_code

    def token(self, browser: Browser) -> str:
        """Find what the forms of a browser carry."""
        page = browser.go("/-/account").text
        return page.partition('name="csrf_token" value="')[2].partition('"')[0]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A server that allows text and PDF."""
    with running(tmp_path / "instance", allow="txt,pdf") as services:
        yield World(services, build_app(services))


def test_people_see_what_was_refused_and_why(world: World) -> None:
    """Only what was refused to them."""
    world.ada.fetch("PUT", "/plan.md", b"x")
    page = world.ada.go("/-/refused").text
    assert "/plan.md" in page
    assert "Allowed here: pdf, txt." in page
    assert "Nothing was refused." in world.bob.go("/-/refused").text


def test_a_type_that_is_asked_for_is_allowed_for_that_account(world: World) -> None:
    """With what the server's list holds, from the next request on; for nobody else."""
    assert world.ask(world.ada, "/plan.md") == 303
    assert "You asked for it" in world.ada.go("/-/refused").text
    queue = world.boss.go(QUEUE).text
    assert "/plan.md" in queue
    assert ADA in queue
    assert world.answer("yes", "md", ADA) == 303
    assert world.ada.fetch("PUT", "/plan.md", b"x").status_code == 201
    assert world.ada.fetch("PUT", "/a.txt", b"x").status_code == 201
    assert world.bob.fetch("PUT", "/plan.md", b"x").status_code == 403
    assert "Nobody waits" in world.boss.go(QUEUE).text
    assert "Types that were refused" not in world.ada.go("/-/refused").text


def test_all_who_asked_are_answered_at_once(world: World) -> None:
    """Grouped by type, with the number of people, the most wanted first."""
    world.ask(world.ada, "/a.abc")
    for browser in (world.ada, world.bob):
        world.ask(browser, "/list.csv")
    queue = world.boss.go(QUEUE).text
    assert queue.index(">.csv ") < queue.index(">.abc ")
    assert "2 people" in queue
    assert world.answer("yes", "csv") == 303
    for browser in (world.ada, world.bob):
        assert browser.fetch("PUT", "/list.csv", b"x").status_code == 201
    assert ".abc" in world.boss.go(QUEUE).text


def test_an_own_list_is_made_longer_not_replaced(world: World) -> None:
    """The server's list has nothing to do with it."""
    world.accounts.set_rules(ADA, Rules.parse("jpg"))
    world.ask(world.ada, "/plan.md")
    world.answer("yes", "md", ADA)
    assert str(world.accounts.get(ADA).rules) == "jpg,md"


def test_who_is_told_no_does_not_ask_again(world: World) -> None:
    """The page says so, and the queue stays empty."""
    world.ask(world.ada, "/evil.exe")
    assert world.answer("no", "exe", ADA) == 303
    assert "Nobody waits" in world.boss.go(QUEUE).text
    assert "said no" in world.ada.go("/-/refused").text
    token = world.ada.go("/-/account").text.partition('name="csrf_token" value="')[2]
    fields = {"extension": "exe", "csrf_token": token.partition('"')[0]}
    world.ada.post("/-/refused/ask", fields, Sec_Fetch_Site="same-origin")
    assert "Nobody waits" in world.boss.go(QUEUE).text
    assert world.ada.fetch("PUT", "/evil.exe", b"x").status_code == 403


@pytest.mark.parametrize("extension", ["md", "txt", "*", "", "md,exe"])
def test_only_what_was_refused_is_asked_for(world: World, extension: str) -> None:
    """Nobody fills the queue with anything else."""
    world.bob.fetch("PUT", "/plan.md", b"x")
    world.ada.fetch("PUT", "/evil.exe", b"x")
    answer = world.ada.submit("/-/refused/ask", "/-/refused", extension=extension)
    assert answer.status_code == 403
    assert "Nobody waits" in world.boss.go(QUEUE).text


def test_nobody_answers_without_being_asked(world: World) -> None:
    """A form that is sent late, or twice, gives nothing to anybody."""
    assert world.answer("yes", "exe", ADA) == 303
    assert world.answer("yes", "exe") == 303
    assert world.accounts.get(ADA).rules is None
    assert "Nobody may keep" in world.boss.go(QUEUE).text


def test_only_administrators_answer(world: World) -> None:
    """Nobody allows it for oneself."""
    world.ask(world.ada, "/evil.exe")
    token = world.ada.go("/-/account").text.partition('name="csrf_token" value="')[2]
    fields = {"extension": "exe", "answer": "yes", "csrf_token": token.partition('"')[0]}
    answer = world.ada.post(f"{QUEUE}/answer", fields, Sec_Fetch_Site="same-origin")
    assert answer.status_code == 403
    assert world.ada.go(QUEUE).status_code == 403
    assert world.accounts.get(ADA).rules is None


def test_requests_go_with_their_account(world: World) -> None:
    """Nobody waits any more."""
    world.ask(world.ada, "/evil.exe")
    world.accounts.remove(ADA)
    assert "Nobody waits" in world.boss.go(QUEUE).text


def test_names_are_just_names_there(world: World) -> None:
    """On the page of who asked, and on that of who answers."""
    world.ask(world.ada, f"/{quote('<b>{{7*7}}')}.md")
    for page in (world.ada.go("/-/refused").text, world.boss.go(QUEUE).text):
        assert "&lt;b&gt;{{7*7}}.md" in page
        assert "<b>" not in page


@pytest.mark.parametrize(
    ("path", "extension"),
    [
        ("/a/plan.MD", "md"),
        ("/evil.docx.exe", "exe"),
        ("/evil", None),
        ("/evil.", None),
        ("/a.b/evil", None),
        ("/a.b,c", None),
        ("/a.b c", None),
        ("/a.*", None),
        ("/a.b\x07", None),
        ("/a." + "b" * 17, None),
    ],
)
def test_a_type_is_one_that_a_list_can_hold(path: str, extension: str | None) -> None:
    """One word, not two: otherwise allowing one would allow another."""
    assert askable(path) == extension


def test_a_type_is_allowed_for_everybody(world: World) -> None:
    """On the server's list, and on the own lists of those who asked; at once."""
    world.accounts.set_rules(BOB, Rules.parse("pdf"))
    for browser in (world.ada, world.bob):
        assert world.ask(browser, "/plan.md") == 303
    assert world.answer("everybody", "md") == 303
    assert "may keep: md,pdf,txt." in world.boss.go(QUEUE).text
    assert "Nobody waits for an answer." in world.boss.go(QUEUE).text
    for browser in (world.ada, world.bob, world.boss):
        assert browser.fetch("PUT", "/plan.md", b"x").status_code == 201
    assert world.accounts.get(ADA).rules is None
    assert world.accounts.get(BOB).rules == Rules.parse("md,pdf")


def test_a_type_that_nobody_asked_for_is_not_allowed_by_answering(world: World) -> None:
    """The form of requests answers requests."""
    assert world.answer("everybody", "exe") == 303
    assert world.ada.fetch("PUT", "/evil.exe", b"x").status_code == 403


def test_the_servers_list_is_chosen_on_the_page(world: World) -> None:
    """It counts at once, and goes back to that of the configuration file."""
    choose = f"{QUEUE}/server"
    assert "Go back to the configuration file" not in world.boss.go(QUEUE).text
    assert world.boss.submit(choose, QUEUE, allow=".MD, odt").status_code == 303
    assert world.ada.fetch("PUT", "/plan.md", b"x").status_code == 201
    assert world.ada.fetch("PUT", "/a.txt", b"x").status_code == 403
    page = world.ada.go("/").text
    assert 'data-allowed="md,odt"' in page
    assert "Go back to the configuration file: pdf,txt" in world.boss.go(QUEUE).text
    assert world.boss.submit(choose, QUEUE, choice="settings").status_code == 303
    assert world.ada.fetch("PUT", "/other.md", b"x").status_code == 403
    assert world.ada.fetch("PUT", "/a.txt", b"x").status_code == 201


@pytest.mark.parametrize("typed", ["", "a/b", "txt,,pdf"])
def test_a_list_that_is_none_is_refused(world: World, typed: str) -> None:
    """With a word beside the field, and nothing is changed."""
    answer = world.boss.submit(f"{QUEUE}/server", QUEUE, allow=typed)
    assert answer.status_code == 200
    assert "is not a file name extension" in answer.text
    assert world.ada.fetch("PUT", "/a.txt", b"x").status_code == 201


def test_only_administrators_choose_the_servers_list(world: World) -> None:
    """Others are refused, and nothing is changed."""
    fields = {"allow": "*", "csrf_token": world.token(world.ada)}
    answer = world.ada.post(f"{QUEUE}/server", fields, Sec_Fetch_Site="same-origin")
    assert answer.status_code in (403, 404)
    assert world.ada.fetch("PUT", "/evil.exe", b"x").status_code == 403
