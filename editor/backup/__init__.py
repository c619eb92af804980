"""Backup and restore: rows and objects that fit together, in a directory that any portal of this version can read.

The rows are read at one moment, and after that the objects that they name. Objects never change, so it does not matter
that copying them takes longer; what is deleted meanwhile had lain in the trash for its time. `docs/backup.md` says how
it is used and what lies where.
"""
