"""Downloads in a browser: asked for in the form, kept as a preset, and then one click from the picture."""

from pathlib import Path

from PIL import Image as Pillow
from playwright.sync_api import Page, expect

from editor.models import DownloadPreset, User
from tests.makers import make_image, make_job


def test_form_says_the_name_gives_the_file_and_keeps_it_as_a_preset(
    signed_in: Page, person: User, complaints: list[str], tmp_path: Path
) -> None:
    source = make_image(person, stored=True, name="owl.jpg")
    job = make_job(person, source, prompt="add a moon", seed=99, due_at=None)
    image = make_image(person, stored=True, name="owl", kind="generated", job=job)
    page = signed_in
    page.goto(f"/pictures/{image.pk}/")
    page.get_by_label("Download as …").click()
    page.get_by_role("link", name="Download as …").click()
    page.get_by_role("radio", name="WebP").check()
    page.get_by_role("radio", name="Long side").check()
    page.get_by_label("Pixels of the longer side").fill("5")
    expect(page.locator("#download-preview")).to_contain_text("Longer side: A whole number from 16 to 16,000")
    size = page.get_by_role("group", name="Size")
    size.get_by_role("radio", name="As it is").check()
    with page.expect_download():  # what is wrong in a field that is hidden now keeps nobody
        page.get_by_role("button", name="Download", exact=True).click()
    size.get_by_role("radio", name="Long side").check()
    page.get_by_label("Pixels of the longer side").fill("160")
    page.get_by_label("Name of the file").fill("{name}-{seed}-{width}x{height}")
    expect(page.locator(".download-name")).to_have_text("owl-99-160x120.webp")
    page.get_by_role("checkbox", name="Write into the file").check()
    with page.expect_download() as asked:
        page.get_by_role("button", name="Download", exact=True).click()
    assert asked.value.suggested_filename == "owl-99-160x120.webp"
    asked.value.save_as(tmp_path / "file")
    with Pillow.open(tmp_path / "file") as picture:
        assert (picture.format, picture.size) == ("WEBP", (160, 120))
        assert b"add a moon" in picture.info["xmp"]

    page.get_by_role("button", name="Keep as a preset").click()
    page.get_by_label("Name", exact=True).fill("Web")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("WebP, quality 85 · 160 pixels")).to_be_visible()
    page.goto(f"/pictures/{source.pk}/")
    page.get_by_label("Download as …").click()
    with page.expect_download() as again:
        page.get_by_role("link", name="Web").click()
    assert again.value.suggested_filename == "owl-160x120.webp"
    assert DownloadPreset.objects.get(workspace__memberships__user=person).options["making"] is True
    assert complaints == []
