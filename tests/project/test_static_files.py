"""Static files under ASGI: whole, cached, and no page of ours gets in their way."""

import warnings
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from pytest_django import Settings


@pytest.fixture
def served(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "hello.css").write_text("body{}")
    settings.STATIC_ROOT = tmp_path


@pytest.mark.usefixtures("served")
def test_file_is_served_under_asgi_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        response = async_to_sync(AsyncClient().get)("/static/hello.css")
    assert (response.status_code, response.content) == (200, b"body{}")
    assert response["Content-Type"].startswith("text/css")


@pytest.mark.usefixtures("served")
def test_unchanged_file_is_not_sent_again() -> None:
    changed = Client().get("/static/hello.css")["Last-Modified"]
    again = Client().get("/static/hello.css", headers={"If-Modified-Since": changed})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.usefixtures("served")
def test_file_that_is_not_there_is_404() -> None:
    assert Client().get("/static/nothing.css").status_code == 404


@pytest.mark.usefixtures("served", "db")
def test_nothing_outside_the_folder_is_served() -> None:
    assert Client().get("/static/../manage.py").status_code == 404
