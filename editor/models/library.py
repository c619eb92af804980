"""The library of a workspace: collections, tags, favourites, and the words by which a picture is found."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from editor.models.images import Image
from editor.models.jobs import GenerationJob
from editor.models.workspaces import Workspace


class Collection(models.Model):
    """A named set of a workspace's pictures, perhaps inside another one (one level). A picture may lie in many."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="collections")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="children")
    name = models.CharField(max_length=80)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("parent", Lower("name"), name="collection_name_once"),
            models.UniqueConstraint(
                "workspace", Lower("name"), condition=Q(parent=None), name="collection_top_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CollectionItem(models.Model):
    """A picture in a collection."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="items")
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="collection_items")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    image_created_at = (
        models.DateTimeField()
    )  # the picture's own, so that a collection is read in its order by one index

    class Meta:
        constraints = [models.UniqueConstraint(fields=["collection", "image"], name="collection_item_once")]
        indexes = [models.Index(fields=["collection", "-image_created_at", "-image"], name="collection_newest")]

    def __str__(self) -> str:
        return f"{self.image_id} in {self.collection_id}"


class Tag(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=40)  # lower case

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="tag_name_once")]

    def __str__(self) -> str:
        return self.name


class ImageTag(models.Model):
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="image_tags")
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="image_tags")
    image_created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tag", "image"], name="image_tag_once")]
        indexes = [models.Index(fields=["tag", "-image_created_at", "-image"], name="tag_newest")]

    def __str__(self) -> str:
        return f"{self.tag_id} on {self.image_id}"


class Favourite(models.Model):
    """A person's own mark on a picture; nobody else sees it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourites")
    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="favourites")
    image_created_at = models.DateTimeField()
    # The edit that it came out of, and when that was asked for: so a history of favourites is read by one index.
    job = models.ForeignKey(
        GenerationJob, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    job_created_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "image"], name="favourite_once")]
        indexes = [
            models.Index(fields=["user", "-image_created_at", "-image"], name="favourite_newest"),
            models.Index(
                fields=["user", "-job_created_at", "-job"], name="favourite_edits", condition=Q(job__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_id} of {self.user_id}"


class ImageWord(models.Model):
    """A word of a picture's name, description, tags or prompt, in small letters: what search looks up.

    The same on SQLite and PostgreSQL; its index gives the newest pictures with a word without reading the others.
    """

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="words")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    word = models.CharField(max_length=40)
    image_created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "word"], name="image_word_once")]
        indexes = [
            models.Index(fields=["workspace", "word", "-image_created_at", "-image"], name="word_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.word} of {self.image_id}"


class EditTerm(models.Model):
    """What an edit is found by in a history: a word of its prompt in small letters, or a picture that it was made of.

    A picture stands there as "=" and its id, which no word is. Each index gives the newest edits with a term, a
    person's or a workspace's, without reading the others.
    """

    job = models.ForeignKey(GenerationJob, on_delete=models.CASCADE, related_name="terms", db_index=False)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    term = models.CharField(max_length=40)
    job_created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "term"], name="edit_term_once")]
        indexes = [
            models.Index(fields=["made_by", "term", "-job_created_at", "-job"], name="edit_term_mine"),
            models.Index(fields=["workspace", "term", "-job_created_at", "-job"], name="edit_term_in"),
        ]

    def __str__(self) -> str:
        return f"{self.term} of {self.job_id}"


class SavedFilter(models.Model):
    """What a person asks of a history again and again, under a name; nobody else sees it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters")
    workspace = models.ForeignKey(  # whose history; None: the person's own in all workspaces
        Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=800, blank=True)  # of the address: "?q=cat&state=done"
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("user", Lower("name"), name="saved_filter_name_once")]

    def __str__(self) -> str:
        return self.name
