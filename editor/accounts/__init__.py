"""How people get an account: allauth does the work, these are our answers to its questions."""

from editor.accounts.adapter import AccountAdapter

__all__ = ["AccountAdapter"]
