"""The soak run itself: it ends, and says why."""

import time

import pytest

import soak


@pytest.mark.parametrize("error", [ConnectionRefusedError, KeyError])
def test_it_ends_when_every_visit_fails(monkeypatch, error):
    began = time.monotonic()

    def visit(_):
        time.sleep(0.01)
        if time.monotonic() > began + 0.8:  # not at once: there have been pauses
            raise error("gone")
    monkeypatch.setattr(soak.Soak, "start", lambda self: None)
    monkeypatch.setattr(soak.Visits, "all", lambda self: [visit])
    run = soak.Soak(None, 20, 1)
    run.run()
    assert len(run.faults) > 20 and all("gone" in fault for fault in run.faults)
