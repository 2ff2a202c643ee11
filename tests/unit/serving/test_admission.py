"""Admission before a server that is simulated: it works on one request at a time, in order."""

import heapq

import numpy as np
import pytest

from serving.admission import Admission
from serving.errors import Overloaded

SERVICE_S = 0.1
DEADLINE_S = 2.0
SECONDS = 120.0


class Server:
    """Requests arrive at a rate and wait in line. What ends after its deadline is degraded."""

    def __init__(self, rate, *, service_s=SERVICE_S, deadline_s=DEADLINE_S, admission=None):
        self.now = 0.0
        self.admission = admission or Admission(256, clock=lambda: self.now)
        self.free_at = 0.0
        self.service_s, self.deadline_s = service_s, deadline_s
        gaps = np.random.default_rng(0).exponential(1 / rate, int(rate * SECONDS))
        self.arrivals = np.cumsum(gaps).tolist()
        self.under_way = []
        self.taken, self.retries = [], []
        self.good = self.degraded = 0

    def run(self):
        for arrival in self.arrivals:
            self.end_until(arrival)
            self.now = arrival
            held = self.admission.slot(self.deadline_s)
            try:
                slot = held.__enter__()
            except Overloaded as error:
                self.retries.append(error.retry_after_s())
                continue
            ends, given_up = self.ends_at(), arrival + self.deadline_s
            known = (min(ends, given_up), arrival, ends <= given_up, held, slot)
            heapq.heappush(self.under_way, known)
        self.end_until(np.inf)
        return self

    def ends_at(self):
        begins = max(self.free_at, self.now)
        if begins >= self.now + self.deadline_s:
            return np.inf  # dropped when its turn comes, as it is late by then
        self.free_at = begins + self.service_s
        return self.free_at

    def end_until(self, moment):
        while self.under_way and self.under_way[0][0] <= moment:
            self.now, arrival, full, held, slot = heapq.heappop(self.under_way)
            slot.tell(full=full, refused=False)
            held.__exit__(None, None, None)
            self.good += full
            self.degraded += not full
            self.taken.append(self.now - arrival)


class HangingServer(Server):
    """A part of it hangs: every answer takes all of its time and is degraded."""

    def ends_at(self):
        return np.inf


def test_below_capacity_nobody_is_refused():
    server = Server(rate=0.7 / SERVICE_S).run()
    assert not server.retries
    assert server.good == len(server.arrivals)


@pytest.mark.parametrize("factor", [1.2, 2.0, 5.0])
def test_above_capacity_it_does_nearly_as_much_as_it_can_and_in_time(factor):
    server = Server(rate=factor / SERVICE_S).run()
    assert server.good / SECONDS > 0.9 / SERVICE_S
    assert server.degraded < 0.05 * server.good
    assert np.percentile(server.taken, 90) < 0.6 * DEADLINE_S
    # Whoever is refused learns when to come again: about when those under way are done.
    assert 0 < np.median(server.retries) < DEADLINE_S


def test_without_admission_nearly_all_would_be_late():
    unlimited = Admission(100_000, least=100_000)
    server = Server(rate=2 / SERVICE_S, admission=unlimited)
    unlimited._clock = lambda: server.now
    server.run()
    assert server.good / SECONDS < 0.5 / SERVICE_S


def test_where_a_part_hangs_nobody_is_refused():
    server = HangingServer(rate=20.0).run()
    assert not server.retries
    assert server.degraded == len(server.arrivals)


def test_after_overload_the_limit_rises_again():
    server = Server(rate=3 / SERVICE_S).run()
    low = server.admission.limit
    quiet = Server(rate=0.9 / SERVICE_S, service_s=SERVICE_S / 10, admission=server.admission)
    quiet.admission._clock = lambda: quiet.now
    quiet.admission._fell_at = 0.0
    quiet.run()
    assert low < 20
    assert not quiet.retries[len(quiet.retries) // 2 :]


def test_a_deadline_that_is_short_anyway_does_not_count_as_overload():
    server = Server(rate=0.3 / SERVICE_S, deadline_s=2.2 * SERVICE_S).run()
    assert len(server.retries) < 0.02 * len(server.arrivals)


def test_a_part_that_refuses_work_lowers_the_limit_at_once():
    admission = Admission(100)
    slots = [admission.slot(1.0) for _ in range(20)]
    entered = [slot.__enter__() for slot in slots]
    entered[0].tell(full=False, refused=True)
    slots[0].__exit__(None, None, None)
    assert admission.limit < 20
    with pytest.raises(Overloaded), admission.slot(1.0):
        pass


def test_a_request_that_fails_gives_its_place_back():
    admission = Admission(1)
    with pytest.raises(ZeroDivisionError), admission.slot(1.0):
        raise ZeroDivisionError
    with admission.slot(1.0):
        pass
