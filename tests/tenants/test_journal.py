"""The journal: bounded for each caller and in all."""

from hypothesis import given
from hypothesis import strategies as st

from emulator.tenants.journal import Exchange, Journal


def exchange(caller: str) -> Exchange:
    return Exchange("GET", "/", "", 0, caller=caller)


def test_the_newest_comes_first_of_one_caller_and_of_all() -> None:
    journal = Journal()
    for caller in "abab":
        journal.add(exchange(caller))
    assert [each.number for each in journal.newest_first("a")] == [3, 1]
    assert [each.number for each in journal.newest_first()] == [4, 3, 2, 1]
    assert list(journal.newest_first("nobody")) == []


def test_a_caller_drives_out_only_its_own_requests() -> None:
    journal = Journal(per_caller=2)
    journal.add(exchange("quiet"))
    for _ in range(100):
        journal.add(exchange("noisy"))
    assert [each.number for each in journal.newest_first("noisy")] == [101, 100]
    assert [each.number for each in journal.newest_first("quiet")] == [1]


def test_the_bound_of_all_counts_what_is_kept() -> None:
    """One caller's 20,100 requests, of which 1,000 are kept, leave room for everybody else's."""
    journal = Journal(per_caller=10, in_all=200)
    journal.add(exchange("quiet"))
    for _ in range(1_000):
        journal.add(exchange("noisy"))
    assert [each.number for each in journal.newest_first("quiet")] == [1]
    for number in range(189):
        journal.add(exchange(f"guest {number}"))
    assert len(list(journal.newest_first())) == 200
    assert [each.number for each in journal.newest_first("quiet")] == [1]
    journal.add(exchange("one more"))
    assert list(journal.newest_first("quiet")) == []
    assert len(list(journal.newest_first())) == 200


@given(st.lists(st.sampled_from("abc") | st.just("clear a"), max_size=60), st.integers(1, 5), st.integers(1, 8))
def test_the_newest_are_kept_as_far_as_the_bounds_allow(calls: list[str], per_caller: int, in_all: int) -> None:
    journal = Journal(per_caller=per_caller, in_all=in_all)
    kept: list[Exchange] = []  # as it has to be, oldest first
    for call in calls:
        if call == "clear a":
            assert journal.clear("a") == sum(each.caller == "a" for each in kept)
            kept = [each for each in kept if each.caller != "a"]
        else:
            journal.add(latest := exchange(call))
            kept.append(latest)
            if len(own := [each for each in kept if each.caller == call]) > per_caller:
                kept.remove(own[0])
            kept = kept[-in_all:]
    assert list(journal.newest_first()) == kept[::-1]
    for caller in "abc":
        assert list(journal.newest_first(caller)) == [each for each in reversed(kept) if each.caller == caller]


def test_clearing_says_how_many_there_were() -> None:
    journal = Journal()
    for caller in "aab":
        journal.add(exchange(caller))
    assert journal.clear("a") == 2
    assert journal.clear("a") == 0
    assert journal.clear() == 1
    assert list(journal.newest_first()) == []
