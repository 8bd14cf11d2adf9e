"""Fixtures that every black-box test shares."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))

from netkit import Netkit  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "realtime: holds only where both ends keep pace with the clock; is run alone")


@pytest.fixture
def netkit(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    tool = Netkit(home)
    yield tool
    tool.cleanup()


@pytest.fixture(scope="module")
def tool(tmp_path_factory):
    """As `netkit`, for what the tests of a file share."""
    tool = Netkit(tmp_path_factory.mktemp("home"))
    yield tool
    tool.cleanup()
