"""The garbage collector of a server that keeps much."""

import gc

from emulator.server.collector import ShortCollections


class Node:
    """Something that only the collector can free."""

    freed = 0

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        Node.freed += 1


def test_what_survives_a_full_collection_is_not_looked_at_again_until_the_hundredth() -> None:
    collections = ShortCollections()
    collections.begin()
    try:
        Node.freed = 0
        kept = Node()
        gc.collect()
        del kept
        gc.collect()
        assert Node.freed == 0
        Node()
        gc.collect()
        assert Node.freed == 1
        for _ in range(100):
            gc.collect()
        assert Node.freed == 2
    finally:
        collections.end()
