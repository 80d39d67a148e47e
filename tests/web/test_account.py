"""One's own account: password, browsers, the end."""

from __future__ import annotations

import pytest

from davhost.bootstrap.services import Services
from davhost.catalogue.schema import metadata
from tests.web.browser import Browser
from tests.web.conftest import PASSWORD

NEW = "a new password"


def test_the_password_is_changed_with_the_old_one(
    signed_in: Browser, email: str, new_browser
) -> None:
    """This browser stays signed in, under a new token; every other is signed out."""
    other = new_browser()
    other.sign_in(email, PASSWORD)
    before = signed_in.cookie()
    assert signed_in.submit("/-/account/password", old=PASSWORD, new=NEW).status_code == 303
    assert "Your password is changed" in signed_in.go("/-/account").text
    assert signed_in.cookie() != before
    assert other.go("/").status_code == 303
    assert new_browser().sign_in(email, PASSWORD).status_code == 403
    assert new_browser().sign_in(email, NEW).status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("wrong", NEW, "This is not your password."), (PASSWORD, "short", "8 characters")],
)
def test_a_password_is_not_changed_by_just_anybody(
    signed_in: Browser, email: str, new_browser, old: str, new: str, said: str
) -> None:
    """A browser that was left alone is not enough, and rules hold here too."""
    answer = signed_in.submit("/-/account/password", old=old, new=new)
    assert answer.status_code == 200
    assert said in answer.text
    assert new_browser().sign_in(email, PASSWORD).status_code == 303


def test_guessing_the_old_password_is_slowed_down(signed_in: Browser) -> None:
    """A stolen session is no way around the throttle."""
    answers = [
        signed_in.submit("/-/account/password", old=f"wrong {n}", new=NEW).status_code
        for n in range(14)
    ]
    assert answers[-1] == 429


def test_browsers_are_listed_and_signed_out(signed_in: Browser, email: str, new_browser) -> None:
    """One sees where one is signed in, and ends what one does not know."""
    other = new_browser()
    other.sign_in(email, PASSWORD)
    page = signed_in.go("/-/account").text
    assert page.count("Firefox on Linux</strong>") == 2
    assert page.count("this browser") == 1
    (end,) = [a for a in _actions(page) if a.endswith("/end")]
    assert signed_in.submit(end, page="/-/account").status_code == 303
    assert other.go("/").status_code == 303
    assert signed_in.go("/").status_code == 200


def test_all_others_are_signed_out_at_once(signed_in: Browser, email: str, new_browser) -> None:
    """All but this one."""
    others = [new_browser() for _ in range(2)]
    for other in others:
        other.sign_in(email, PASSWORD)
    signed_in.submit("/-/account/sessions/end-others", page="/-/account")
    assert [other.go("/").status_code for other in others] == [303, 303]
    assert signed_in.go("/").status_code == 200


def test_nobody_signs_out_somebody_else(services: Services, signed_in, email, new_browser) -> None:
    """Numbers of sessions are easy to guess."""
    services.accounts.register(f"x{email}", PASSWORD)
    eve = new_browser()
    eve.sign_in(f"x{email}", PASSWORD)
    number = services.accounts.sessions.list_(services.accounts.get(email).id)[0].id
    token = {"csrf_token": _form_token(eve.go("/-/account").text)}
    eve.post(f"/-/account/sessions/{number}/end", token, Sec_Fetch_Site="same-origin")
    assert signed_in.go("/").status_code == 200


def test_an_account_is_deleted_with_everything(services: Services, signed_in, email: str) -> None:
    """After its address and its password there is no row and no byte of it left."""
    signed_in.fetch("PUT", "/a.txt", b"unique content")
    account = services.accounts.get(email)
    space = services.settings.data_dir / "blobs" / str(account.space_id)
    assert any(space.rglob("*"))
    answer = signed_in.submit("/-/account/delete", email=email.upper(), password=PASSWORD)
    assert answer.status_code == 303
    assert "is deleted" in signed_in.go(answer.location).text
    assert email not in [a.email for a in services.accounts.list_()]
    assert not space.exists()
    assert _rows_of(services, account.id) == []


@pytest.mark.parametrize("wrong", ["email", "password"])
def test_an_account_is_not_deleted_by_mistake(services, signed_in, email, wrong: str) -> None:
    """Both must be right."""
    fields = {"email": email, "password": PASSWORD} | {wrong: "wrong@example.org"}
    answer = signed_in.submit("/-/account/delete", **fields)
    assert answer.status_code == 200
    assert "this is not" in answer.text.lower()
    assert services.accounts.get(email)


def test_the_last_administrator_stays(services: Services, new_browser) -> None:
    """Somebody must be able to look after the server."""
    services.accounts.register("root@example.org", PASSWORD, admin=True)
    browser = new_browser()
    browser.sign_in("root@example.org", PASSWORD)
    fields = {"email": "root@example.org", "password": PASSWORD}
    answer = browser.submit("/-/account/delete", **fields)
    assert "You are the only administrator" in answer.text
    services.accounts.register("root2@example.org", PASSWORD, admin=True)
    assert browser.submit("/-/account/delete", **fields).status_code == 303
    services.accounts.remove("root2@example.org")


@pytest.mark.parametrize("page", ["", "/password", "/delete"])
def test_strangers_see_nothing_of_it(browser: Browser, page: str) -> None:
    """They are asked to sign in, and come back."""
    answer = browser.go(f"/-/account{page}")
    assert answer.status_code == 303
    assert answer.location == f"/-/sign-in?next=/-/account{page}"


def _actions(html: str) -> list[str]:
    return [part.partition('"')[0] for part in html.split('action="')[1:]]


def _form_token(html: str) -> str:
    return html.partition('name="csrf_token" value="')[2].partition('"')[0]


def _rows_of(services: Services, user_id: int) -> list[str]:
    """List the tables in which the account still has a row."""
    from sqlalchemy import create_engine, select

    engine = create_engine(services.settings.catalogue_url)
    with engine.connect() as connection:
        found = [
            table.name
            for table in metadata.tables.values()
            if "user_id" in table.c
            and connection.execute(select(table).where(table.c.user_id == user_id)).first()
        ]
    engine.dispose()
    return found
