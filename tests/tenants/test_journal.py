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


@given(st.lists(st.sampled_from("abc") | st.just("clear a"), max_size=60), st.integers(1, 5), st.integers(1, 8))
def test_no_more_is_kept_than_the_bounds_allow_and_always_the_newest(
    calls: list[str], per_caller: int, in_all: int
) -> None:
    journal = Journal(per_caller=per_caller, in_all=in_all)
    told: list[Exchange] = []
    for call in calls:
        if call == "clear a":
            journal.clear("a")
            told = [each for each in told if each.caller != "a"]
        else:
            journal.add(latest := exchange(call))
            told.append(latest)
    kept = list(journal.newest_first())
    assert len(kept) <= in_all
    for caller in "abc":
        own = [each for each in reversed(told) if each.caller == caller]
        of_caller = list(journal.newest_first(caller))
        assert len(of_caller) <= per_caller
        assert of_caller == own[: len(of_caller)]
    assert sorted(kept, key=lambda each: -each.number) == kept
    if calls and calls[-1] != "clear a":
        assert kept[0] is told[-1]


def test_clearing_says_how_many_there_were() -> None:
    journal = Journal()
    for caller in "aab":
        journal.add(exchange(caller))
    assert journal.clear("a") == 2
    assert journal.clear("a") == 0
    assert journal.clear() == 1
    assert list(journal.newest_first()) == []
