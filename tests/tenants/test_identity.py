"""Who a tenant is to the outside."""

import uuid

from emulator.tenants.identity import Identity


def test_an_identity_follows_from_seed_and_key() -> None:
    one, again = Identity(0, "key"), Identity(0, "key")
    other_names = Identity(0, "other")
    assert other_names.host_name(3) != one.host_name(3)  # asked in between, so that nothing shared is left in place
    for part in ("slug", "org_id", "user_id", "org_name"):
        assert getattr(one, part) == getattr(again, part)
        assert getattr(one, part) != getattr(Identity(1, "key"), part)
        assert getattr(one, part) != getattr(other_names, part)
    assert [one.host_name(n) for n in range(5)] == [again.host_name(n) for n in range(5)]


def test_the_parts_of_an_identity_do_not_depend_on_the_order_in_which_they_are_asked() -> None:
    one, other = Identity(0, "key"), Identity(0, "key")
    assert (one.org_name, one.host_name(0)) == (other.host_name(0), other.org_name)[::-1]


def test_an_identity_looks_like_one() -> None:
    identity = Identity(0, "key")
    assert identity.slug.startswith("org-")
    assert len(identity.slug) == 16
    assert uuid.UUID(identity.org_id).version == 4
    assert identity.org_id != identity.user_id
    assert identity.host_name(2).startswith("gpu-")


def test_a_run_is_on_the_host_of_its_number_and_hosts_repeat() -> None:
    identity = Identity(0, "key")
    assert identity.host_name(5) == identity.host_name(5 + 64)
    assert len({identity.host_name(n) for n in range(64)}) > 32
