"""`make bench`: one table of figures, each beside a control of the same run. It never fails on time."""
