"""Requests that nobody should send: the emulator stays up, keeps its memory, and makes no mistake over them.

`python -m tests.hostile.fuzz --requests 100000` tries more.
"""

from __future__ import annotations

from collections import Counter
from random import SystemRandom

from tests.hostile.attacks import MAKERS, attack
from tests.hostile.fuzz import Tally, fuzz, rss_mib
from tests.process import serving

REQUESTS = 1_500
MAX_GROWTH_MIB = 64
MAX_WAIT_S = 5.0
"""For a healthy client between attacks, on a machine that is busy with other tests."""


def test_hostile_requests_do_no_harm() -> None:
    seed = SystemRandom().randrange(10**9)
    print(f"seed {seed}: repeat with python -m tests.hostile.fuzz --requests {REQUESTS} --seed {seed}")
    with serving("--no-access-log") as server:
        tally = fuzz(server, seed, REQUESTS)
        print(tally)
    assert tally.complaints == []
    assert tally.sent == REQUESTS
    assert tally.growth_mib() < MAX_GROWTH_MIB
    assert tally.slowest_health_s < MAX_WAIT_S
    # Otherwise the attacks did not get where they were meant to.
    assert {"200", "400", "401", "404", "422", "431", "closed"} <= tally.statuses.keys()


def test_attacks_follow_from_seed_and_number_and_come_in_every_kind() -> None:
    attacks = [attack(7, number) for number in range(300)]
    assert attacks == [attack(7, number) for number in range(300)]
    assert attacks != [attack(8, number) for number in range(300)]
    assert Counter(each.kind for each in attacks).keys() == {maker.__name__ for maker in MAKERS}


def test_growth_is_counted_from_the_first_third() -> None:
    assert Tally(rss_mib=[50, 80, 90, 100, 95, 97, 99]).growth_mib() == 10
    assert Tally(rss_mib=[50, 80, 90]).growth_mib() == 10


def test_a_process_that_has_ended_holds_no_memory() -> None:
    with serving() as server:
        assert rss_mib(server.process.pid) > 10
    assert rss_mib(server.process.pid) == 0
