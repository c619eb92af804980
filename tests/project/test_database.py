"""What every connection to PostgreSQL is told."""

import pytest
from django.db import connection


@pytest.mark.django_db
def test_stopped_process_holds_no_lock_for_long_and_no_query_is_compiled() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL is told so")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('idle_in_transaction_session_timeout'), current_setting('jit')")
        assert cursor.fetchone() == ("1min", "off")
