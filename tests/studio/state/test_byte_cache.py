from __future__ import annotations

from studio.state.byte_cache import ByteCache


def test_what_was_not_used_for_longest_makes_room() -> None:
    dropped: list[str] = []
    cache: ByteCache[str, str] = ByteCache(10, len, dropped.append)
    cache.put("a", "aaaa")
    cache.put("b", "bbbb")
    assert cache.get("a") == "aaaa"
    cache.put("c", "cccc")
    assert dropped == ["bbbb"] and list(cache) == ["a", "c"] and cache.size == 8


def test_a_smaller_budget_holds_at_once_but_the_last_one_stays() -> None:
    cache: ByteCache[int, bytes] = ByteCache(100, len)
    for key in range(5):
        cache.put(key, bytes(20))
    cache.budget = 45
    assert list(cache) == [3, 4] and cache.size == 40
    cache.budget = 1
    assert list(cache) == [4]
    cache.put(4, bytes(7))
    assert cache.size == 7
    cache.remove(4)
    assert cache.size == len(cache) == 0 and cache.get(4) is None


def test_what_has_grown_is_measured_when_it_is_used() -> None:
    cache: ByteCache[str, list[int]] = ByteCache(10, len)
    small, growing = [0], [0]
    cache.put("small", small)
    cache.put("growing", growing)
    growing += [0] * 9
    assert cache.size == 2
    assert cache.get("growing") is growing
    assert list(cache) == ["growing"] and cache.size == 10
