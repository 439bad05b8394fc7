"""Under gevent: a crowd that takes connections to the Redis of the URL given, then one that goes on alone.

Tells how many connections there were, and how many are left once those that nobody takes are closed.
"""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402 - everything after the patch

from jobs import connection_pools  # noqa: E402
from jobs.connection import connect  # noqa: E402
from tests.fakes.waiting import wait_until  # noqa: E402

CROWD = 100

if __name__ == "__main__":
    connection_pools.IDLE_SECONDS, connection_pools.LOOK_SECONDS = 0.1, 0.0
    client = connect(sys.argv[1])
    client.connection_pool.connection_kwargs["client_name"] = "gevent-crowd"
    taken = [client.connection_pool.get_connection() for _ in range(CROWD)]
    for connection in taken:
        client.connection_pool.release(connection)

    def opened() -> int:
        return sum(one["name"] == "gevent-crowd" for one in client.client_list())

    most = opened()
    wait_until(lambda: opened() <= connection_pools.KEPT_IDLE + 1)
    sys.stdout.write(f"{most} {opened()}\n")
