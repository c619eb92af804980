"""The library of a workspace: finding pictures, and putting them in order."""
