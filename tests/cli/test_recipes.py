"""The recipes of netkit-recipes(7), run as they stand there but for ports."""

import pytest

from man_page import sessions
from session import Session

RECIPES = sessions("netkit-recipes.7")


def test_there_are_twenty():
    assert len(RECIPES) >= 20


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe(tmp_path, title):
    session = Session(tmp_path)
    try:
        for command, expected in RECIPES[title]:
            session.step(command, expected)
    finally:
        session.end()
