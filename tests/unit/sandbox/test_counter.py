from sandbox.counter import Counter


def test_a_counter_forgets_the_key_that_rested_longest() -> None:
    counter = Counter(keys_max=2)
    assert [counter.add(key) for key in ("a", "b", "a", "c")] == [1, 1, 2, 1]
    assert counter.at_least(1) == {"a": 2, "c": 1}
    assert counter.at_least(2) == {"a": 2}


def test_a_cleared_counter_begins_anew() -> None:
    counter = Counter()
    counter.add("a")
    counter.clear()
    assert counter.at_least(1) == {}
    assert counter.add("a") == 1
