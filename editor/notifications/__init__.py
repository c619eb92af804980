"""People are told about the work of others: in the portal, and by mails that come bundled."""

from editor.notifications.telling import tell

__all__ = ["tell"]
