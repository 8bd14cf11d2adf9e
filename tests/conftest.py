"""Fixtures that every black-box test shares."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))

from certificates import make_family, make_local_certificate  # noqa: E402
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


@pytest.fixture
def certificate(tmp_path):
    """The folder of a server's own certificate."""
    make_local_certificate(tmp_path)
    return tmp_path


@pytest.fixture
def family(tmp_path):
    """The folder of a family of certificates."""
    make_family(tmp_path)
    return tmp_path
