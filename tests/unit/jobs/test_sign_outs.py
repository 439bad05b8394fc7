import redis

from jobs.sign_outs import SignOuts


def test_what_was_begun_before_is_over_and_what_is_begun_later_is_not(store_client: redis.Redis) -> None:
    outs = SignOuts(store_client, life_seconds=60)
    begun = outs.now()
    assert not outs.ended("one", "all", begun=begun)
    outs.end("all")
    assert outs.ended("one", "all", begun=begun)
    assert not outs.ended("one", begun=begun)
    assert not outs.ended("one", "all", begun=outs.now() + 1)


def test_it_is_remembered_for_as_long_as_a_session_lives(store_client: redis.Redis) -> None:
    SignOuts(store_client, life_seconds=60).end("all")
    assert 55 < store_client.ttl("{respool}:signed_out:all") <= 60
