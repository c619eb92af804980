"""The parts that `make run` and the tests bring along; of these files only the mailbox knows Django."""
