"""What people do in the studio, step by step."""

from pathlib import Path

from playwright.sync_api import Page, expect

from project.embedded.programs import ROOT

SAMPLES = ROOT / "static" / "samples"
PATIENCE = 30_000  # milliseconds


def upload(page: Page, *files: Path) -> None:
    page.locator("#upload-form input[name=file]").set_input_files(list(files) or [SAMPLES / "cat.jpg"])


def open_sample(page: Page, label: str = "Cat") -> None:
    """A sample picture on the stage, ready."""
    page.goto("/")
    page.get_by_role("button", name=f"Try the sample: {label}", exact=True).click()
    expect(page.locator("#stage .picture img")).to_be_visible(timeout=PATIENCE)


def run(page: Page, words: str) -> None:
    page.get_by_label("What should change?").fill(words)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#versions .tile.current").filter(has_text=words)).to_be_visible(timeout=PATIENCE)


def see_result(page: Page) -> None:
    expect(page.locator("#stage [data-compare]")).to_be_visible(timeout=PATIENCE)
