import inspect

from jobs import keys


def test_everything_lies_under_one_hash_tag_so_that_a_cluster_keeps_it_together() -> None:
    names = [value for name, value in vars(keys).items() if name.isupper()]
    made = [
        make(*(1 if name == "day" else "x" for name in inspect.signature(make).parameters))
        for _, make in inspect.getmembers(keys, inspect.isfunction)
    ]
    assert len(made) == 11
    assert all(name.startswith("{respool}:") for name in [*names, *made])
    assert len(set(made)) == len(made)
