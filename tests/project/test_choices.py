"""What is embedded, and what half of a group says."""

import pytest

from project.embedded.choices import ChoiceError, Embedded, choose


def test_nothing_given_embeds_everything() -> None:
    assert choose({}) == Embedded(redis=True, s3=True, database=True, sandbox=True)


def test_everything_given_embeds_nothing() -> None:
    storage = {"S3_ENDPOINT_URL": "http://s3", "S3_BUCKET": "b", "S3_ACCESS_KEY_ID": "a", "S3_SECRET_ACCESS_KEY": "s"}
    given = {"REDIS_URL": "redis://r", "DATABASE_URL": "postgres://d", "FLUX_API_KEY": "k", **storage}
    assert choose(given) == Embedded(redis=False, s3=False, database=False, sandbox=False)


def test_a_blank_variable_is_none() -> None:
    assert choose({"REDIS_URL": "  "}).redis


def test_an_endpoint_without_keys_is_refused_and_names_what_is_missing() -> None:
    with pytest.raises(ChoiceError, match="S3_BUCKET, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY are not set"):
        choose({"S3_ENDPOINT_URL": "http://s3"})


def test_a_flux_server_without_its_key_is_refused() -> None:
    with pytest.raises(ChoiceError, match="FLUX_BASE_URL names a flux server, but FLUX_API_KEY is not set"):
        choose({"FLUX_BASE_URL": "http://flux"})


def test_every_half_group_is_named_at_once() -> None:
    with pytest.raises(ChoiceError, match=r"S3_BUCKET.*FLUX_API_KEY"):
        choose({"S3_REGION": "eu", "FLUX_UPLOAD_URL": "http://flux"})
