"""Telling browsers that something changed: an event says "look again", and the rows tell the truth.

Like a ring it may be lost, repeated or late, which costs nothing but time: pages also ask by themselves.
"""

from editor.events.telling import (
    edit_changed,
    edits_begun,
    edits_changed,
    end_streams,
    end_streams_of_session,
    image_changed,
    person_told,
    talk_changed,
)

__all__ = [
    "edit_changed",
    "edits_begun",
    "edits_changed",
    "end_streams",
    "end_streams_of_session",
    "image_changed",
    "person_told",
    "talk_changed",
]
